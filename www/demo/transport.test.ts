import { expect, test } from 'vitest';
import { describeTransport, toneOf } from './transport.js';

test('a page says what its messages come by', () => {
  const said = (['websocket', 'sse', 'polling'] as const).map((transport) =>
    describeTransport({ state: 'open', transport }),
  );
  expect(said).toEqual([
    'WebSocket connected',
    'Server-sent events (WebSocket unavailable)',
    'Polling (WebSocket unavailable)',
  ]);
});

test('a WebSocket is called connected only while it is open', () => {
  expect(describeTransport({ state: 'connecting', transport: 'websocket' })).toBe('WebSocket not connected');
  expect(describeTransport({ state: 'suspect', transport: 'websocket' })).toBe('WebSocket does not answer');
});

test('what is open by something else than the WebSocket is shown as less than good', () => {
  expect(toneOf({ state: 'open', transport: 'websocket' })).toBe('good');
  expect(toneOf({ state: 'open', transport: 'sse' })).toBe('warn');
  expect(toneOf({ state: 'failed', transport: 'websocket' })).toBe('bad');
});
