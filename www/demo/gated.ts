import type { BreakerState, BreakerStats } from 'tabwire';
import type { Tone } from './tone.js';

/** What has become of a call. */
export type Outcome =
  | { readonly status: number; readonly ms: number }
  | { readonly refused: string }
  | { readonly error: string };

/** The tone of each state of a breaker. */
export const breakerTones: Readonly<Record<BreakerState, Tone>> = {
  closed: 'good',
  open: 'bad',
  'half-open': 'warn',
  'forced-open': 'bad',
  'forced-closed': 'warn',
};

/** Says what a breaker does with the next call. */
export const describeBreaker = ({ state, retryAt }: Pick<BreakerStats, 'state' | 'retryAt'>, now: number) => {
  switch (state) {
    case 'closed':
      return 'every call is made';
    case 'open':
      return `no call is made for ${secondsOf((retryAt ?? now) - now)}`;
    case 'half-open':
      return 'the next call is a probe';
    case 'forced-open':
      return 'no call is made until a reset';
    case 'forced-closed':
      return 'every call is made until a reset';
  }
};

/** Says what has become of a call, and how good that is. */
export const describeOutcome = (outcome: Outcome): [text: string, tone: Tone] => {
  if ('status' in outcome) {
    const isGood = outcome.status < 500;
    return [`${outcome.status} after ${Math.round(outcome.ms)} ms`, isGood ? 'good' : 'bad'];
  }
  if ('error' in outcome) return [outcome.error, 'bad'];
  return [`not made: ${outcome.refused}`, 'warn'];
};

const secondsOf = (ms: number) => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
