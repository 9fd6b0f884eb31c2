import type { TopicMessage } from 'tabwire';
import { expect, test, vi } from 'vitest';
import { changeText, nextQuote, openQuotes, type Price, priceText, type Quote } from './quotes.js';
import { createStore } from './store.js';

/** A socket whose subscriptions are looked at and fed by hand. */
const createSocket = () => {
  const open = new Map<string, (message: TopicMessage<Price>) => unknown>();
  const asked: string[] = [];
  const subscribe = (topic: string, listener: (message: TopicMessage<never>) => unknown) => {
    asked.push(topic);
    open.set(topic, listener as never);
    return { topic, close: () => void open.delete(topic) };
  };
  return { open, asked, subscribe };
};

test('what is chosen is subscribed to once, and what is chosen no longer is given back and forgotten', () => {
  const socket = createSocket();
  const choice = createStore<readonly string[]>(['BTC', 'ETH']);
  const quotes = openQuotes(socket, choice, vi.fn());
  socket.open.get('prices.ETH')?.({ topic: 'prices.ETH', data: { price: 2, open: 1 } });
  expect(quotes.of('ETH').get()?.price).toBe(2);
  choice.set(['BTC', 'OIL']);
  expect([...socket.open.keys()]).toEqual(['prices.BTC', 'prices.OIL']);
  expect(quotes.of('ETH').get()).toBeUndefined();
  expect(socket.asked).toEqual(['prices.BTC', 'prices.ETH', 'prices.OIL']);
});

test('a quote tells which way the price went, and whether it is from before this tab asked', () => {
  const prices = [5, 6, 6, 4];
  const quotes: Quote[] = [];
  for (const price of prices) {
    const kept = quotes.length === 0 && { asOf: 1 };
    quotes.push(nextQuote(quotes.at(-1), { data: { price, open: 5 }, ...kept }));
  }
  expect(quotes.map(({ direction }) => direction)).toEqual(['same', 'up', 'same', 'down']);
  expect(quotes.map(({ isKept }) => isKept)).toEqual([true, false, false, false]);
  expect(quotes.at(-1)?.history).toEqual(prices);
});

test('of a symbol no more than the last 60 prices are kept', () => {
  let quote: Quote | undefined;
  for (let price = 1; price <= 100; price++) quote = nextQuote(quote, { data: { price, open: 1 } });
  expect(quote?.history).toHaveLength(60);
  expect(quote?.history.at(0)).toBe(41);
});

test('prices and changes are written as one reads them', () => {
  expect([91_250, 71.4, 1.0825].map(priceText)).toEqual(['91,250.00', '71.40', '1.0825']);
  const change = (price: number) => changeText({ price, open: 100 });
  expect([101.239, 99, 100, 99.999].map(change)).toEqual(['+1.24 %', '−1.00 %', '+0.00 %', '+0.00 %']);
});
