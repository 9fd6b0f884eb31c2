// @vitest-environment node
import { createContext, runInContext } from 'node:vm';
import { type BuildOptions, build } from 'esbuild';
import {
  CircuitBreaker,
  circuitBreakerManager,
  configure,
  createHub,
  gatedFetch,
  isUnsupportedError,
  SharedWebSocket,
} from 'tabwire';
import { expect, test } from 'vitest';

const errorOf = (what: () => unknown) => {
  try {
    what();
  } catch (error) {
    return error;
  }
  return undefined;
};

const bundle = async (contents: string, options: BuildOptions) => {
  const { outputFiles } = await build({
    ...options,
    stdin: { contents, resolveDir: 'www/client' },
    bundle: true,
    write: false,
    logLevel: 'silent',
    define: { __BUILD__: '"test"' },
    external: ['*/life.js', '*/observe.js'],
  });
  return outputFiles?.[0]?.text ?? '';
};

test('on a server constructing says that there is no page, and nothing else throws', () => {
  expect(isUnsupportedError(errorOf(() => new SharedWebSocket('wss://server.example/ws')))).toBe(true);
  expect(isUnsupportedError(errorOf(() => createHub()))).toBe(true);
  expect(errorOf(() => configure({ host: { use: 'this-tab' } }))).toBeUndefined();
});

test('on a server breakers say that there is no page, and nothing is called', async () => {
  const called = () => {
    throw new Error('called');
  };
  expect(isUnsupportedError(errorOf(() => new CircuitBreaker('api')))).toBe(true);
  const rejected = [gatedFetch('https://server.example/'), circuitBreakerManager.execute('api', called)];
  for (const outcome of await Promise.allSettled(rejected)) {
    expect(isUnsupportedError((outcome as PromiseRejectedResult).reason)).toBe(true);
  }
  expect(circuitBreakerManager.getStats()).toEqual({});
  expect(errorOf(() => circuitBreakerManager.reset())).toBeUndefined();
});

test('importing needs no global that is not of the language', async () => {
  const code = await bundle("export * from './index.js'", { format: 'iife', globalName: 'tabwire' });
  const names = runInContext(`${code}; Object.keys(tabwire)`, createContext({}));
  expect(names).toContain('SharedWebSocket');
});

test('what is not imported is left out', async () => {
  const code = await bundle("export { isQueueFullError } from './index.js'", { format: 'esm', minify: true });
  expect(code.length).toBeLessThan(200);
});
