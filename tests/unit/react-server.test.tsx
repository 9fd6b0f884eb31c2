// @vitest-environment node
import type { ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { useCircuitBreaker, useMessages, useSharedWebSocket, WebSocketProvider } from 'tabwire/react';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => vi.unstubAllGlobals());

const State = () => {
  const { status, readyState, lastMessage } = useSharedWebSocket();
  useMessages(() => {});
  const { state, retryAt, stats } = useCircuitBreaker('api', { failureThreshold: 3 });
  return `${status.state} ${status.host} ${readyState} ${lastMessage} ${state} ${retryAt} ${stats.failures}`;
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
  expect(render(true)).toBe('idle shared-worker 0 null closed null 0');
  expect(render(false)).toBe('idle this-tab 0 null closed null 0');
});

test('a server render opens nothing and starts no timer', () => {
  const touched = vi.fn(() => {
    throw new Error('touched');
  });
  for (const name of ['SharedWorker', 'Worker', 'WebSocket', 'setTimeout', 'setInterval', 'addEventListener']) {
    vi.stubGlobal(name, touched);
  }
  render(true);
  expect(touched).not.toHaveBeenCalled();
});
