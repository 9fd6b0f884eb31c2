import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** What happens when something fails: mostly waiting, so several files at a time. */
const faults = ['auth', 'cache', 'login', 'nowhere', 'scenarios', 'skew', 'survival'].map(
  (name) => `tests/browser/${name}.test.ts`,
);

/** Suites that drive browsers or install packages: one file at a time, and minutes rather than seconds. */
const oneAtATime = { fileParallelism: false, testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  resolve: {
    alias: [
      { find: '#glue', replacement: path('target/glue/hub.js') },
      { find: /^tabwire$/, replacement: path('www/client/index.ts') },
      { find: /^tabwire\/react$/, replacement: path('www/react/index.ts') },
    ],
  },
  define: { __BUILD__: JSON.stringify('0.0.0+test') },
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
