import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** What happens when something fails: mostly waiting, so several files at a time. */
const faults = ['auth', 'cache', 'login', 'nowhere', 'scenarios', 'skew', 'survival'].map(
  (name) => `tests/browser/${name}.test.ts`,
);

/** Suites that drive browsers or install packages: one file at a time, and minutes rather than seconds. */
const oneAtATime = { fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 } as const;

/** `#wasm`: the bytes of the hub, as the build puts them into `tabwire/testing`. */
const wasm: Plugin = {
  name: 'wasm',
  enforce: 'pre',
  resolveId: (id) => (id === '#wasm' ? '\0wasm' : undefined),
  load: (id) =>
    id === '\0wasm'
      ? `export default Uint8Array.from(atob('${readFileSync(path('dist/hub.wasm'), 'base64')}'), (c) => c.charCodeAt(0))`
      : undefined,
};

export default defineConfig({
  plugins: [wasm],
  resolve: {
    alias: [
      { find: '#glue', replacement: path('target/glue/hub.js') },
      { find: /^tabwire\/testing$/, replacement: path('www/testing/index.ts') },
      { find: /^tabwire$/, replacement: path('www/client/index.ts') },
      { find: /^tabwire\/react$/, replacement: path('www/react/index.ts') },
    ],
  },
  define: { __BUILD__: JSON.stringify('0.0.0+test'), __WASM__: 'undefined' },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          environment: 'happy-dom',
          include: ['{www,worker}/**/*.test.{ts,tsx}', 'tests/unit/**/*.test.{ts,tsx}'],
        },
      },
      { extends: true, test: { name: 'docs', include: ['tests/docs/*.test.ts'] } },
      {
        extends: true,
        // The oldest React that the adapter supports.
        resolve: {
          alias: [{ find: /^(react|react-dom)(\/.*)?$/, replacement: path('tests/react-18/node_modules/$1$2') }],
        },
        test: {
          name: 'react-18',
          environment: 'happy-dom',
          env: { REACT: '18' },
          include: ['tests/unit/react*.test.tsx'],
        },
      },
      {
        extends: true,
        test: {
          ...oneAtATime,
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          exclude: faults,
          globalSetup: 'tests/browser/harness/display.ts',
        },
      },
      {
        extends: true,
        test: {
          ...oneAtATime,
          fileParallelism: true,
          maxWorkers: 3,
          name: 'faults',
          include: faults,
          globalSetup: 'tests/browser/harness/display.ts',
        },
      },
      { extends: true, test: { ...oneAtATime, name: 'packaging', include: ['tests/packaging/*.test.ts'] } },
      {
        extends: true,
        test: {
          ...oneAtATime,
          name: 'bench',
          include: ['benches/**/*.bench.ts'],
          globalSetup: 'tests/browser/harness/display.ts',
        },
      },
    ],
  },
});
