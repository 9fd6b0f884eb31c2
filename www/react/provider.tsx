import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from 'react';
import type { SocketOptions } from '../client/index.js';
import { type ConnectionSettings, type Settings, settle, type UserIdOrOptions } from './settings.js';
import { type Connection, connectionOf, retire } from './store.js';

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
export function WebSocketProvider({ children, options, ...settings }: WebSocketProviderProps) {
  const value = useStable(settle({ ...options, ...settings }));
  useRetiring(value.userId);
  return <Context.Provider value={value}>{children}</Context.Provider>;
}

/** The connection that is given, over what the provider says. */
export const useConnection = (given: UserIdOrOptions | undefined): Connection => {
  const settings = useStable(settle(given, useContext(Context)));
  useRetiring(settings.userId);
  return useMemo(() => connectionOf(settings), [settings]);
};

/** The same object for as long as it says the same, so that a new one makes no new connection and no render. */
const useStable = (settings: Settings): Settings => {
  const text = JSON.stringify(settings);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the text is what the settings say
  return useMemo(() => settings, [text]);
};

/** Purges what a user leaves behind, once it is another's turn; by then the components of the first have left. */
const useRetiring = (userId: Settings['userId']) => {
  const last = useRef(userId);
  useEffect(() => {
    if (last.current !== userId) retire(last.current);
    last.current = userId;
  }, [userId]);
};

const Context = /* @__PURE__ */ createContext<Settings | undefined>(undefined);
