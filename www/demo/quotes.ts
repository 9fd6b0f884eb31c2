import type { SharedWebSocket, Subscription, TopicMessage } from 'tabwire';
import { createStore, type Store, type Writable } from './store.js';

/** What is published of a symbol. */
export interface Price {
  readonly price: number;
  readonly open: number;
}

/** What this tab knows of a symbol. */
export interface Quote extends Price {
  /** Which way the price has gone last. */
  readonly direction: 'up' | 'down' | 'same';
  /** The last prices, oldest first. */
  readonly history: readonly number[];
  /** Whether the price is one that the hub had kept, from before this tab asked. */
  readonly isKept: boolean;
}

/** The quotes of the symbols that this tab wants. */
export interface Quotes {
  /** The quote of a symbol; nothing for those that this tab does not want. */
  of(symbol: string): Store<Quote | undefined>;
}

/** Subscribes to what is chosen, symbol by symbol, and to nothing else. */
export const openQuotes = (
  socket: Pick<SharedWebSocket, 'subscribe'>,
  choice: Store<readonly string[]>,
  onerror: (error: Error) => void,
): Quotes => {
  const stores = new Map<string, Writable<Quote | undefined>>();
  const subscriptions = new Map<string, Subscription>();
  const of = (symbol: string) => {
    const store = stores.get(symbol) ?? createStore<Quote | undefined>(undefined);
    stores.set(symbol, store);
    return store;
  };
  const follow = () => {
    const wanted = choice.get();
    for (const [symbol, subscription] of subscriptions) {
      if (wanted.includes(symbol)) continue;
      subscription.close();
      subscriptions.delete(symbol);
      of(symbol).set(undefined);
    }
    for (const symbol of wanted) {
      if (subscriptions.has(symbol)) continue;
      const store = of(symbol);
      const take = (message: TopicMessage<Price>) => store.set(nextQuote(store.get(), message));
      subscriptions.set(symbol, socket.subscribe<Price>(`${TOPICS}${symbol}`, take, { onerror }));
    }
  };
  choice.subscribe(follow);
  follow();
  return { of };
};

/** What is known after a message. */
export const nextQuote = (
  before: Quote | undefined,
  { data: { price, open }, asOf }: Pick<TopicMessage<Price>, 'data' | 'asOf'>,
): Quote => {
  const last = before?.price ?? price;
  return {
    price,
    open,
    direction: price > last ? 'up' : price < last ? 'down' : 'same',
    history: [...(before?.history ?? []).slice(1 - KEPT), price],
    isKept: asOf !== undefined,
  };
};

/** A price with as many digits as one reads. */
export const priceText = (price: number) => {
  const digits = price < 10 ? 4 : 2;
  return price.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
};

/** How far a price is from the opening, with its sign. */
export const changeText = ({ price, open }: Price) => {
  const percent = ((price / open - 1) * 100).toFixed(2);
  return `${percent === '-0.00' ? '+0.00' : percent.replace(/^(?!-)/, '+').replace('-', '−')} %`;
};

/** What the topics of prices begin with. */
export const TOPICS = 'prices.';
/** How many prices of a symbol are kept. */
const KEPT = 60;
