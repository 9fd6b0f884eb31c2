import type { Connection, View } from './store.js';

/** What `useSyncExternalStore` asks of a store. */
export interface Reader<T> {
  subscribe(onChange: () => void): () => void;
  snapshot(): T;
  serverSnapshot(): T;
}

/**
 * Makes the reader of one component. Its snapshot has `extras` and, by getters that note what is read, a view; it is another
 * object only when something that has been read is different.
 */
export const createReader = <T extends object>(connection: Connection, extras: T): Reader<T & View> => {
  const read = new Set<keyof View>();
  let look: () => View;
  let shown: View | undefined;
  let snapshot: T & View;

  const take = (from: () => View) => {
    look = from;
    const view = look();
    if (shown && ![...read].some((field) => view[field] !== shown?.[field])) return snapshot;
    const values = { ...view };
    const see = <F extends keyof View>(field: F) => {
      // What nobody had read may have changed since.
      if (!read.has(field)) values[field] = look()[field];
      read.add(field);
      return values[field];
    };
    shown = values;
    snapshot = {
      ...extras,
      get status() {
        return see('status');
      },
      get readyState() {
        return see('readyState');
      },
      get lastMessage() {
        return see('lastMessage');
      },
    };
    return snapshot;
  };

  return {
    subscribe: (onChange) =>
      connection.listen((message) => {
        if (!message || read.has('lastMessage')) onChange();
      }),
    snapshot: () => take(connection.view),
    serverSnapshot: () => take(() => connection.idle),
  };
};
