import { createStore, type Store } from './store.js';

/** A message as it arrived. */
export interface Message {
  readonly id: number;
  readonly at: number;
  readonly data: unknown;
}

/** What has arrived in this tab. */
export interface Traffic {
  /** The newest messages, newest first, of the first connection; prices are shown elsewhere. */
  readonly messages: readonly Message[];
  readonly total: number;
  /** Messages in the last second. */
  readonly rate: number;
  /** Messages in each of the last half seconds, oldest first. */
  readonly history: readonly number[];
}

/** Which way a message went. */
export type Direction = 'in' | 'out';

/** What takes in every message, and what shows them. */
export interface Feed {
  readonly traffic: Store<Traffic>;
  /** Takes in a message that came over a connection, the first being 0. */
  add(data: unknown, connection: number): void;
  /** Notes that this tab sent something over a connection. */
  noteSent(connection: number): void;
  /** Calls back for every message, until the returned function is called. */
  watch(watcher: Watcher): () => void;
}

type Watcher = (direction: Direction, connection: number, symbol?: string) => void;

/** Makes a feed. It changes ten times a second at most, however much arrives. */
const createFeed = (): Feed => {
  const traffic = createStore<Traffic>({ messages: [], total: 0, rate: 0, history: Array(BUCKETS).fill(0) });
  const watchers = new Set<Watcher>();
  const recent: Message[] = [];
  let total = 0;
  let current = 0;
  let history = traffic.get().history;
  let isDue = false;
  let shownAt = 0;

  const show = () => {
    isDue = false;
    shownAt = performance.now();
    const [before = 0, last = 0] = history.slice(-2);
    traffic.set({ messages: recent.slice(-KEPT).reverse(), total, rate: before + last, history });
  };
  const showSoon = () => {
    if (isDue) return;
    isDue = true;
    setTimeout(show, Math.max(0, shownAt + SHORTEST - performance.now()));
  };
  const note: Watcher = (...what) => {
    for (const watcher of watchers) watcher(...what);
  };

  setInterval(() => {
    const isQuiet = !current && history.every((count) => !count);
    history = [...history.slice(1), current];
    current = 0;
    if (!isQuiet) showSoon();
  }, BUCKET);

  return {
    traffic,
    add(data, connection) {
      total++;
      current++;
      const symbol = symbolOf(data);
      if (!symbol && connection === 0) recent.push({ id: total, at: Date.now(), data });
      if (recent.length > 2 * KEPT) recent.splice(0, KEPT);
      showSoon();
      note('in', connection, symbol);
    },
    noteSent: (connection) => note('out', connection),
    watch(watcher) {
      watchers.add(watcher);
      return () => {
        watchers.delete(watcher);
      };
    },
  };
};

/** The symbol whose price a frame brings, by a look at its text: it may be one of 50,000 in a second. */
export const symbolOf = (data: unknown) =>
  typeof data === 'string' ? /"topic":"prices\.(\w+)"/.exec(data)?.[1] : undefined;

/** How many messages are shown. */
const KEPT = 50;
/** Time between two looks at the traffic, in ms. */
const SHORTEST = 100;
/** What the traffic is counted by, in ms, and for how many of these it is remembered. */
const BUCKET = 500;
const BUCKETS = 60;

/** The feed of this tab. */
export const feed = createFeed();
