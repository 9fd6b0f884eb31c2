import type { Status } from 'tabwire';
import { createStore, type Store } from './store.js';

/** How good or bad something is. */
export type Tone = 'good' | 'warn' | 'bad' | 'neutral';

/** Something that happened. */
export interface Entry {
  readonly id: number;
  readonly at: number;
  readonly kind: 'status' | 'gap' | 'sendfailed' | 'overflow' | 'send' | 'order';
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

/** The tone of each state. */
export const tones: Readonly<Record<Status['state'], Tone>> = {
  idle: 'neutral',
  connecting: 'warn',
  open: 'good',
  suspect: 'warn',
  reconnecting: 'warn',
  offline: 'neutral',
  closed: 'bad',
  failed: 'bad',
};

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
      if (shown?.state === status.state && shown.reason === status.reason) return;
      shown = status;
      const { state, code, attempt, nextAttemptAt } = status;
      const details = [
        code === null || !isLost(state) ? '' : `code ${code}`,
        attempt > 1 ? `attempt ${attempt}` : '',
        nextAttemptAt ? `next in ${(Math.max(0, nextAttemptAt - Date.now()) / 1000).toFixed(1)} s` : '',
      ].filter(Boolean);
      journal.add('status', tones[state], [state, ...details].join(', '), status.reason);
    },
  };
  return journal;
};

/** How many entries are kept. */
const KEPT = 100;

/** The log of this tab. */
export const journal = createJournal();
