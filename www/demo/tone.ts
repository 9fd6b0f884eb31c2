import type { Status } from 'tabwire';

/** How good or bad something is. */
export type Tone = 'good' | 'warn' | 'bad' | 'neutral';

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
