// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Client } from './client.js';
import { Cue, type Handle } from './cue.js';
import { UnsupportedError } from './errors.js';
import { type EntryItems, Op } from './protocol.js';
import type { InspectEntry, InspectOptions } from './report.js';

/** So many entries wait for who iterates; beyond that the oldest are dropped and counted. */
const Most = 1000;

/** Shows what the hub sees of this page's connections, from now until the iteration ends. */
export const inspect = (
  client: Client,
  { payloads = false, signal }: InspectOptions,
): AsyncIterableIterator<InspectEntry> => {
  const waiting: InspectEntry[] = [];
  const asked: PromiseWithResolversOf<IteratorResult<InspectEntry>>[] = [];
  let dropped = 0;
  let isOver = false;
  let failure: unknown;

  const give = () => {
    while (asked[0] && (waiting[0] || isOver)) {
      const { resolve, reject } = asked.shift() as (typeof asked)[0];
      if (dropped) {
        resolve({ value: { kind: 'dropped', at: Date.now(), count: dropped }, done: false });
        dropped = 0;
      } else if (waiting[0]) resolve({ value: waiting.shift() as InspectEntry, done: false });
      else if (failure) {
        reject(failure);
        failure = undefined;
      } else resolve({ value: undefined, done: true });
    }
  };

  const viewer: Viewer = {
    payloads,
    take(count, entries) {
      dropped += count;
      for (const entry of entries) {
        if (waiting.push(payloads ? entry : sizeOnly(entry)) <= Most) continue;
        waiting.shift();
        dropped++;
      }
      give();
    },
    end(why) {
      isOver = true;
      failure = why;
      give();
    },
  };

  const stop = () => {
    if (isOver) return;
    leave(client, viewer);
    waiting.length = dropped = 0;
    viewer.end();
  };

  signal?.addEventListener('abort', stop);
  if (signal?.aborted) isOver = true;
  else join(client, viewer);

  return {
    next: () =>
      new Promise((resolve, reject) => {
        asked.push({ resolve, reject });
        give();
      }),
    async return() {
      signal?.removeEventListener('abort', stop);
      stop();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
};

interface PromiseWithResolversOf<T> {
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

/** One who looks inside. */
interface Viewer {
  readonly payloads: boolean;
  take(dropped: number, entries: InspectEntry[]): void;
  end(failure?: unknown): void;
}

/** The hub shows a page one view, which all that look inside share: with payloads if one of them wants them. */
interface View {
  readonly viewers: Set<Viewer>;
  readonly handle: Handle;
}

const join = (client: Client, viewer: Viewer) => {
  const [post, add, remove] = client;
  const known = views.get(client);
  if (known) {
    known.viewers.add(viewer);
    known.handle([Cue.Attach]);
    return;
  }
  const viewers = new Set([viewer]);
  const ask = () => post([Op.Inspect, [...viewers].some(({ payloads }) => payloads) ? 2 : 1]);
  const handle: Handle = (input) => {
    if (!Array.isArray(input)) return;
    if (input[0] == Cue.Attach) ask();
    if (input[0] == Op.Inspected) {
      const entries = input[2].map(read);
      for (const one of viewers) one.take(input[1], entries);
      ask();
    }
    if (input[0] == Cue.End) {
      views.delete(client);
      remove(handle);
      for (const one of viewers) one.end(new UnsupportedError(`there is no hub: ${input[2]}`));
    }
  };
  views.set(client, { viewers, handle });
  add(handle);
};

const leave = (client: Client, viewer: Viewer) => {
  const [post, , remove] = client;
  const view = views.get(client);
  if (!view?.viewers.delete(viewer)) return;
  if (view.viewers.size) return view.handle([Cue.Attach]);
  views.delete(client);
  remove(view.handle);
  return post([Op.Inspect, 0]);
};

const read = (items: EntryItems): InspectEntry => {
  const [kind, at, conn] = items;
  switch (items[0]) {
    case 'state':
      return { kind: 'state', at, conn, state: items[3], reason: items[4], attempt: items[5], code: items[6] ?? null };
    case 'log':
      return { kind: 'log', at, conn, level: items[3], code: items[4], value: items[5] };
    default:
      return { kind: kind as 'in', at, conn, size: items[3], payload: items[4] };
  }
};

const sizeOnly = (entry: InspectEntry): InspectEntry => ('payload' in entry ? { ...entry, payload: undefined } : entry);

const views = new Map<Client, View>();
