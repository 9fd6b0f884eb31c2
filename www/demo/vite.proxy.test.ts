// @vitest-environment node
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'vite';
import { expect, onTestFinished, test } from 'vitest';
import { proxyTo } from './vite.proxy.js';

/** A port where somebody answers until he is told to leave. */
const serve = async () => {
  const server = createHttpServer((request, response) => response.end(`you asked for ${request.url}`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const leave = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, leave };
};

test('what is the server’s goes to one place, and while nobody is there the answer is a 502 as JSON', async () => {
  const { origin, leave } = await serve();
  const vite = await createServer({
    configFile: false,
    logLevel: 'silent',
    appType: 'custom',
    optimizeDeps: { noDiscovery: true },
    server: { host: '127.0.0.1', port: 0, hmr: false, watch: null, proxy: { '/api': proxyTo(origin) } },
  });
  onTestFinished(() => vite.close());
  await vite.listen();
  const [site] = vite.resolvedUrls?.local ?? [];
  const ask = () => fetch(`${site}api/v1/public/health?a=1`);
  expect(await (await ask()).text()).toBe('you asked for /api/v1/public/health?a=1');
  await leave();
  const answer = await ask();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([502, 'application/json']);
  expect(await answer.json()).toMatchObject({ error: 'bad gateway', target: origin });
});
