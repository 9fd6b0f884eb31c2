import { useSyncExternalStore } from 'react';

/** A value that React can watch. */
export interface Store<T> {
  get(): T;
  /** Calls back after each change, until the returned function is called. */
  subscribe(listener: () => void): () => void;
}

/** A store that its maker can change. */
export interface Writable<T> extends Store<T> {
  set(value: T): void;
}

/** Makes a store with a first value. */
export const createStore = <T>(value: T): Writable<T> => {
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

/** The value of a store, kept current. */
export const useStore = <T>(store: Store<T>) => useSyncExternalStore(store.subscribe, store.get);
