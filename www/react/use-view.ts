import { useInsertionEffect, useMemo, useRef, useSyncExternalStore } from 'react';

/**
 * What components can look at, as `useSyncExternalStore` takes it: calls back whenever it may have changed, until the returned
 * function is called; how it is now; how a server shows it, and a page that continues what a server has rendered.
 */
export type Source<V> = readonly [subscribe: (onChange: () => void) => () => void, live: () => V, idle: V];

/** Shows a source, made anew where something of `of` is different, and renders again when a field that has been read is. */
export const useView = <V extends object>(make: () => Source<V>, of: readonly unknown[]): V => {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the caller knows
  const [[subscribe, live, idle], see] = useMemo(() => [make(), createLens<V>()] as const, of);
  return useSyncExternalStore(
    subscribe,
    () => see(live()),
    () => see(idle),
  );
};

/** What was given at the newest render that React has kept: for callbacks, which may come at any time. */
export const useNewest = <T>(value: T): { readonly current: T } => {
  const newest = useRef(value);
  useInsertionEffect(() => {
    newest.current = value;
  });
  return newest;
};

/** Listens to these events of a target until the returned function is called. */
export const listen = (target: EventTarget, listener: (event: Event) => void, ...types: string[]) => {
  types.map((type) => target.addEventListener(type, listener));
  return () => {
    types.map((type) => target.removeEventListener(type, listener));
  };
};

/** Makes what one component sees views through: the last view for as long as what has been read of it is the same. */
const createLens = <V extends object>() => {
  type Field = keyof V & string;
  let newest: V;
  let shown: V;
  let read: Partial<V> | undefined;

  return (view: V): V => {
    newest = view;
    if (!read || (Object.keys(read) as Field[]).some((field) => read?.[field] !== view[field])) {
      const values: Partial<V> = {};
      read = values;
      shown = new Proxy(view, {
        get(_, field: Field) {
          // What nobody had read may have changed since.
          if (!(field in values)) values[field] = newest[field];
          return values[field];
        },
      });
    }
    return shown;
  };
};
