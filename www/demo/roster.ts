import { me } from './me.js';
import { poll } from './poll.js';
import { createStore, type Store } from './store.js';

/** A tab of this page, and the symbols that it wants. */
export interface Member {
  readonly tab: string;
  readonly symbols: readonly string[];
}

/**
 * Tells of this tab and watches the others, this one first. Each holds a lock whose name says what it wants: the browser lets go
 * of it when the tab is gone, however it ended. Without Web Locks there is only this one.
 */
export const watchRoster = (choice: Store<readonly string[]>): Store<readonly Member[]> => {
  const mine = (): Member => ({ tab: me, symbols: choice.get() });
  const roster = createStore<readonly Member[]>([mine()]);
  const { locks } = navigator;
  if (!locks) return roster;
  let release = hold(nameOf(mine()));
  choice.subscribe(() => {
    release();
    release = hold(nameOf(mine()));
    roster.set([mine(), ...roster.get().slice(1)]);
  });
  poll(400, async () => {
    const { held = [] } = await locks.query();
    const next = [mine(), ...othersOf(held.map(({ name = '' }) => name))];
    if (JSON.stringify(next) !== JSON.stringify(roster.get())) roster.set(next);
  });
  return roster;
};

/** Holds a lock until the returned function is called. */
const hold = (name: string) => {
  let release = () => {};
  const end = new Promise<void>((resolve) => {
    release = resolve;
  });
  void navigator.locks.request(name, () => end);
  return release;
};

/** The lock of a tab. */
export const nameOf = ({ tab, symbols }: Member) => `${PREFIX}${tab}:${symbols.join(',')}`;

/** The tabs but this one whose locks are among these names, in an order that lasts. */
export const othersOf = (names: readonly string[]): readonly Member[] => {
  const members = new Map<string, Member>();
  for (const name of names) {
    if (!name.startsWith(PREFIX)) continue;
    const [tab = '', symbols = ''] = name.slice(PREFIX.length).split(':');
    if (tab !== me) members.set(tab, { tab, symbols: symbols.split(',').filter(Boolean) });
  }
  return [...members.values()].sort((one, other) => (one.tab < other.tab ? -1 : 1));
};

const PREFIX = 'tabwire-demo:tab:';
