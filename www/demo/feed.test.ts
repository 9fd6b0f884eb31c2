import { expect, test } from 'vitest';
import { symbolOf } from './feed.js';

test('a frame that brings a price is known by its topic, and no other is', () => {
  expect(symbolOf('{"data":{"price":1},"seq":1,"topic":"prices.BTC","type":"message"}')).toBe('BTC');
  for (const data of ['{"topic":"chat"}', '17 xxxx', 'prices.BTC', new Blob()]) expect(symbolOf(data)).toBeUndefined();
});
