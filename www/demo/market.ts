import type { Asked } from './asked.js';
import type { Choice } from './choice.js';
import type { Quotes } from './quotes.js';
import type { Member } from './roster.js';
import type { Store } from './store.js';

/** Prices by symbol, and who wants which. */
export interface Market {
  /** All that there are. */
  readonly symbols: readonly string[];
  readonly choice: Choice;
  readonly quotes: Quotes;
  /** All tabs, this one first. */
  readonly roster: Store<readonly Member[]>;
  readonly asked: Store<Asked>;
}
