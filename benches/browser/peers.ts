import { build } from 'esbuild';
import { at, root } from '../../scripts/lib/paths.mjs';

declare global {
  interface Window {
    /** What the pages of the benchmarks of breakers can do. */
    gates: typeof import('./pages/gates.js');
  }
}

/** Bundles the other breakers for the pages, beside dist: see {@link startSite}. Of opossum the sources, which are twice as fast as its own bundle. */
export const bundlePeers = () =>
  build({
    stdin: {
      contents: `export * as cockatiel from 'cockatiel'; export { default as Opossum } from 'opossum';`,
      resolveDir: root,
    },
    outfile: at('target/bench-site/peers.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
