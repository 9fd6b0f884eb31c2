import { build } from 'esbuild';
import { at } from '../../../scripts/lib/paths.mjs';

/** Bundles page.tsx as an app that has React and the built adapter in it, and the rest of tabwire beside it, for react.html. */
export const buildReactPage = () =>
  build({
    entryPoints: [at('tests/browser/react/page.tsx')],
    outfile: at('target/test-site/react/page.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    // What the tests' own configuration maps to the sources.
    tsconfigRaw: {},
    plugins: [
      {
        name: 'tabwire',
        setup({ onResolve }) {
          onResolve({ filter: /^tabwire\/react$/ }, () => ({ path: at('dist/react.js') }));
          onResolve({ filter: /^(tabwire|\.\/index\.js)$/ }, () => ({ path: '/dist/index.js', external: true }));
        },
      },
    ],
  });
