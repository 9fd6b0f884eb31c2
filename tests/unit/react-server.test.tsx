// @vitest-environment node
import type { ReactNode } from 'react';
import { renderToString } from 'react-dom/server';
import { useMessages, useSharedWebSocket, WebSocketProvider } from 'tabwire/react';
import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => vi.unstubAllGlobals());

const State = () => {
  const { status, readyState, lastMessage } = useSharedWebSocket();
  useMessages(() => {});
  return `${status.state} ${status.host} ${readyState} ${lastMessage}`;
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
  expect(render(true)).toBe('idle shared-worker 0 null');
  expect(render(false)).toBe('idle this-tab 0 null');
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
