// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react';
import { useSharedWebSocket, WebSocketProvider } from 'tabwire/react';
import { installTabwire, type TestBrowser } from 'tabwire/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const Price = () => {
  const { status, lastMessage, send } = useSharedWebSocket();
  return (
    <button type="button" onClick={() => send('refresh')}>
      {status.state}: {String(lastMessage?.data ?? 'no price')}
    </button>
  );
};

const App = () => (
  <WebSocketProvider url="wss://example.com/prices">
    <Price />
  </WebSocketProvider>
);

let browser: TestBrowser;

beforeEach(() => {
  vi.useFakeTimers();
  browser = installTabwire();
});

afterEach(async () => {
  cleanup();
  await browser.restore();
  vi.useRealTimers();
});

test('shows the newest price, and asks for one when it is clicked', async () => {
  render(<App />);
  await act(browser.settled);
  browser.server.send('42');
  await act(browser.settled);
  expect(screen.getByRole('button').textContent).toBe('open: 42');

  screen.getByRole('button').click();
  expect(await browser.server.next()).toBe('refresh');
});

test('says that it reconnects, and goes on', async () => {
  render(<App />);
  await act(browser.settled);
  browser.server.drop();
  await act(browser.settled);
  expect(screen.getByRole('button').textContent).toBe('reconnecting: no price');

  await act(() => vi.advanceTimersByTimeAsync(5000));
  browser.server.send('43');
  await act(browser.settled);
  expect(screen.getByRole('button').textContent).toBe('open: 43');
});

test('shares its connection with other tabs', async () => {
  const other = browser.openTab();
  other.socket('wss://example.com/prices');
  render(<App />);
  await act(browser.settled);
  expect(browser.server.connections).toHaveLength(1);
  other.close();
});
