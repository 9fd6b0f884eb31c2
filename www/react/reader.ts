import type { Connection, View } from './store.js';

/** What `useSyncExternalStore` asks of a store. */
export interface Reader<T> {
  subscribe(onChange: () => void): () => void;
  snapshot(): T;
  serverSnapshot(): T;
}

/** Makes the reader of one component that uses a connection: see {@link createLens}. */
export const createReader = <T extends object>(connection: Connection, extras: T): Reader<T & View> => {
  const { take, read } = createLens<View, T>(extras);
  return {
    subscribe: (onChange) =>
      connection.listen((message) => {
        if (!message || read.has('lastMessage')) onChange();
      }),
    snapshot: () => take(connection.view),
    serverSnapshot: () => take(() => connection.idle),
  };
};

/**
 * What one component sees of views: `take` makes a snapshot with `extras` and, by getters that note what is read, the view of
 * that moment; it is another object only when something that has been read is different.
 */
export const createLens = <V extends object, T extends object>(extras: T) => {
  const read = new Set<keyof V>();
  let look: () => V;
  let shown: V | undefined;
  let snapshot: T & V;

  const take = (from: () => V) => {
    look = from;
    const view = look();
    if (shown && ![...read].some((field) => view[field] !== shown?.[field])) return snapshot;
    const values = { ...view };
    shown = values;
    snapshot = { ...extras } as T & V;
    for (const field of Object.keys(values) as (keyof V)[]) {
      Object.defineProperty(snapshot, field, {
        enumerable: true,
        get() {
          // What nobody had read may have changed since.
          if (!read.has(field)) values[field] = look()[field];
          read.add(field);
          return values[field];
        },
      });
    }
    return snapshot;
  };

  return { take, read };
};
