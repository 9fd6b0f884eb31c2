import { createContext, createElement, type ReactElement, type ReactNode, useContext, useEffect, useMemo } from 'react';
import type { SocketOptions } from '../client/index.js';
import { type ConnectionSettings, type Settings, settle, type UserIdOrOptions } from './settings.js';
import { type Connection, connectionOf, retire } from './store.js';
import { useNewest } from './use-view.js';

/** The props of {@link WebSocketProvider}. */
export interface WebSocketProviderProps extends ConnectionSettings {
  /**
   * The options of the socket. They may be written in place: only what they say counts, not which object says it, and of
   * functions not even that.
   */
  options?: SocketOptions | undefined;
  children?: ReactNode;
}

/**
 * Tells the hooks below it which connection to use. It opens nothing itself: the first component that uses a hook does, once
 * it is mounted, and the page leaves the connection when the last has been unmounted. Of nested providers the inner counts.
 */
export function WebSocketProvider({ children, options, ...settings }: WebSocketProviderProps): ReactElement {
  const value = useSettled({ ...options, ...settings });
  return createElement(Context.Provider, { value }, children);
}

/** The connection that is given, over what the provider says. */
export const useConnection = (given: UserIdOrOptions | undefined): Connection =>
  useSettled(given, useContext(Context)?.settings);

/** The same connection for as long as the settings say the same. */
const useSettled = (given: UserIdOrOptions | undefined, inherited?: Settings): Connection => {
  const settings = settle(given, inherited);
  const { key } = settings;
  const newest = useNewest(key);
  useEffect(
    () => () => {
      if (newest.current !== key) retire(key);
    },
    [newest, key],
  );
  const text = JSON.stringify(settings);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what the settings say
  return useMemo(() => connectionOf(text, settings), [text]);
};

const Context = /* @__PURE__ */ createContext<Connection | undefined>(undefined);
