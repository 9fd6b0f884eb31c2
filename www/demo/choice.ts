import { createStore, type Store } from './store.js';

/** The symbols that this tab wants. */
export interface Choice extends Store<readonly string[]> {
  /** Wants a symbol from now on, or no longer. */
  toggle(symbol: string): void;
}

/** The choice of this tab stands in its address: so tabs differ, and a reload changes nothing. */
export const createChoice = (symbols: readonly string[]): Choice => {
  const store = createStore(readChoice(location.hash, symbols));
  addEventListener('hashchange', () => store.set(readChoice(location.hash, symbols)));
  return {
    ...store,
    toggle(symbol) {
      const before = store.get();
      const next = symbols.filter((other) => before.includes(other) !== (other === symbol));
      history.replaceState(null, '', hashOf(next));
      store.set(next);
    },
  };
};

/** Reads a choice from the hash of an address; without one it is that of the first tab. */
export const readChoice = (hash: string, symbols: readonly string[]): readonly string[] => {
  if (hash.length < 2) return choiceOf(0, symbols);
  const named = new Set(hash.slice(1).split(','));
  return symbols.filter((symbol) => named.has(symbol));
};

/** The hash that stands for a choice. */
export const hashOf = (choice: readonly string[]) => `#${choice.join(',') || 'none'}`;

/** What the tab of this number wants at first: three symbols, in part those of its neighbours. */
export const choiceOf = (number: number, symbols: readonly string[]): readonly string[] =>
  symbols.filter((_, index) => {
    const after = (index - number * 2) % symbols.length;
    return (after + symbols.length) % symbols.length < WANTED;
  });

/** How many symbols a tab wants at first. */
const WANTED = 3;
