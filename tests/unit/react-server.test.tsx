// @vitest-environment node
import { readFileSync } from 'node:fs';
import { type ReactNode, version } from 'react';
import { version as domVersion, renderToString } from 'react-dom/server';
import { useCircuitBreaker, useMessages, useSharedWebSocket, useTopic, WebSocketProvider } from 'tabwire/react';
import { afterEach, expect, test, vi } from 'vitest';

const restores: (() => void)[] = [];

afterEach(() => {
  for (const restore of restores.splice(0)) restore();
});

const State = () => {
  const { status, readyState, lastMessage } = useSharedWebSocket();
  useMessages(() => {});
  const price = useTopic('prices', { initial: 5 });
  const { state, retryAt, stats } = useCircuitBreaker('api', { failureThreshold: 3 });
  return `${status.state} ${status.host} ${readyState} ${lastMessage} ${state} ${retryAt} ${stats.failures} ${price}`;
};

const render = (useSharedWorker: boolean) => {
  const page = (children: ReactNode) => (
    <WebSocketProvider url="/live" userId="ada" useSharedWorker={useSharedWorker} options={{ linger: 1 }}>
      {children}
    </WebSocketProvider>
  );
  return renderToString(page(<State />));
};

test('a server renders the idle state', () => {
  expect(render(true)).toBe('idle shared-worker 0 null closed null 0 5');
  expect(render(false)).toBe('idle this-tab 0 null closed null 0 5');
});

test('a server render opens nothing and touches no global, and neither does the import', async () => {
  const touched: string[] = [];
  const names =
    'SharedWorker Worker WebSocket BroadcastChannel fetch setTimeout setInterval addEventListener window document';
  for (const name of `${names} navigator location localStorage sessionStorage`.split(' ')) {
    const known = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
    restores.push(() => {
      if (known) Object.defineProperty(globalThis, name, known);
      else Reflect.deleteProperty(globalThis, name);
    });
  }
  const before = Object.getOwnPropertyNames(globalThis);
  vi.resetModules();
  const { WebSocketProvider, useCircuitBreaker, useSharedWebSocket, useTopic } = await import('tabwire/react');
  const Fresh = () => `${useSharedWebSocket().status.state} ${useTopic('prices')} ${useCircuitBreaker('api').state}`;
  const html = renderToString(
    <WebSocketProvider url="/live" userId="ada">
      <Fresh />
    </WebSocketProvider>,
  );
  expect(html).toBe('idle undefined closed');
  expect(touched).toEqual([]);
  expect(Object.getOwnPropertyNames(globalThis)).toEqual(before);
});

test('a render of a server leaves nothing that another could see', () => {
  const Last = () => `${useSharedWebSocket({ url: '/live' }).lastMessage} ${useTopic('prices', {}, { url: '/live' })}`;
  expect([renderToString(<Last />), renderToString(<Last />)]).toEqual(['null undefined', 'null undefined']);
});

test('the bundle is a client module to bundlers that know server components', () => {
  expect(readFileSync('dist/react.js', 'utf8')).toMatch(/^(["'])use client\1;/);
});

test('what is tested is the version of React that is meant', () => {
  expect([version, domVersion].map((full) => full.split('.')[0])).toEqual(Array(2).fill(process.env.REACT ?? '19'));
});
