import type { Status } from 'tabwire';
import { createStore, type Store } from './store.js';
import type { Tone } from './tone.js';
import { toneOf, transportNames } from './transport.js';

/** Something that happened. */
export interface Entry {
  readonly id: number;
  readonly at: number;
  readonly kind: 'status' | 'gap' | 'sendfailed' | 'overflow' | 'send' | 'order' | 'breaker' | 'topic';
  readonly tone: Tone;
  readonly text: string;
  /** A code that says why. */
  readonly reason: string;
}

/** The log of this tab, newest first. */
export interface Journal {
  readonly entries: Store<readonly Entry[]>;
  add(kind: Entry['kind'], tone: Tone, text: string, reason?: string): void;
  /** Adds a status, unless only its details have changed. */
  addStatus(status: Status): void;
}

/** Whether a close code belongs to this state, and not to one before it. */
export const isLost = (state: Status['state']) => state === 'reconnecting' || state === 'closed' || state === 'failed';

const createJournal = (): Journal => {
  const entries = createStore<readonly Entry[]>([]);
  let shown: Status | undefined;
  const journal: Journal = {
    entries,
    add(kind, tone, text, reason = '') {
      const [newest] = entries.get();
      const entry = { id: (newest?.id ?? 0) + 1, at: Date.now(), kind, tone, text, reason };
      entries.set([entry, ...entries.get().slice(0, KEPT - 1)]);
    },
    addStatus(status) {
      const { state, transport, reason, code, attempt, nextAttemptAt } = status;
      if (shown?.state === state && shown.transport === transport && shown.reason === reason) return;
      shown = status;
      const details = [
        state === 'open' && transport !== 'websocket' ? `by ${transportNames[transport]}` : '',
        code === null || !isLost(state) ? '' : `code ${code}`,
        attempt > 1 ? `attempt ${attempt}` : '',
        nextAttemptAt ? `next in ${(Math.max(0, nextAttemptAt - Date.now()) / 1000).toFixed(1)} s` : '',
      ].filter(Boolean);
      journal.add('status', toneOf(status), [state, ...details].join(', '), reason);
    },
  };
  return journal;
};

/** How many entries are kept. */
const KEPT = 100;

/** The log of this tab. */
export const journal = createJournal();
