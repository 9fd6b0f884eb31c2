import { poll } from './poll.js';
import { createStore, type Store } from './store.js';

/** What the server has been asked for. */
export interface Asked {
  /** How many live connections have asked for each topic. */
  readonly topics: Readonly<Record<string, number>>;
  /** How often a connection asked for a topic that it had. */
  readonly duplicates: number;
}

interface Report {
  connections: { topics: string[] }[];
  counts: { duplicates: number };
}

/** Counts what the server tells of its connections. */
export const countAsked = ({ connections, counts }: Report): Asked => {
  const topics: Record<string, number> = {};
  for (const topic of connections.flatMap(({ topics }) => topics)) topics[topic] = (topics[topic] ?? 0) + 1;
  return { topics, duplicates: counts.duplicates };
};

/** Watches what the server has been asked for; nothing while it does not answer. */
export const watchAsked = (): Store<Asked> => {
  const asked = createStore<Asked>(nothing);
  poll(500, async () => {
    const answer = await fetch('/control/topics').catch(() => null);
    const next = answer?.ok ? countAsked(await answer.json()) : nothing;
    if (JSON.stringify(next) !== JSON.stringify(asked.get())) asked.set(next);
  });
  return asked;
};

const nothing: Asked = { topics: {}, duplicates: 0 };
