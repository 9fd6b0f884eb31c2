import { SharedWebSocket, type Status } from '../client/index.js';
import type { Settings } from './settings.js';

/** How a connection is at one moment. */
export interface View {
  status: Status;
  readyState: number;
  lastMessage: MessageEvent | null;
}

/** Told of every message, and with none that the status or the ready state may have changed. */
export type Listener = (message?: MessageEvent) => void;

/** A connection as components use it: one handle for all that ask for the same, closed when the last has gone. */
export interface Connection {
  /** How it is where there is no handle: on a server, before the first listener, and with nobody signed in. */
  readonly idle: View;
  /** How it is now. */
  view(): View;
  /** Opens the handle, unless it is open, and keeps it until the returned function is called. */
  listen(listener: Listener): () => void;
  /**
   * The handle to call. It is opened for effects that run before the one that listens; afterwards it stays what it was, so
   * that a late call opens nothing that has been left. Throws `InvalidStateError` where nobody is signed in.
   */
  socket(): SharedWebSocket;
  /** Closes the handle for every component of this page. */
  close: SharedWebSocket['close'];
}

/** The connection with these settings; nothing is opened. Throws where there is no url. */
export const connectionOf = (settings: Settings): Connection => {
  const { url, protocols, userId, useSharedWorker, options } = settings;
  if (url === undefined) throw new Error('tabwire: no url, and no <WebSocketProvider> that has one');
  const id = JSON.stringify(settings);
  const host = useSharedWorker ? options.host : { ...options.host, use: 'this-tab' as const };
  const idle: View = { status: idleStatus(host?.use), readyState: 0, lastMessage: null };
  let latest: Handle | undefined;

  const open = () => {
    if (userId === null) throw new DOMException('userId: null', 'InvalidStateError');
    latest = handles.get(id) ?? share(new SharedWebSocket(url, protocols, { ...options, key: userId, host }), userId);
    handles.set(id, latest);
    return latest;
  };
  const current = () => handles.get(id) ?? latest ?? open();

  return {
    idle,
    view() {
      const handle = handles.get(id);
      if (!handle) return idle;
      const { status, readyState } = handle.socket;
      return { status, readyState, lastMessage: handle.lastMessage };
    },
    listen(listener) {
      if (userId === null) return () => {};
      const handle = open();
      handle.listeners.add(listener);
      handle.isRetired = false;
      return () => {
        handle.listeners.delete(listener);
        if (handle.listeners.size) return;
        // Later, because StrictMode, routers and a changed user unmount what they mount again at once.
        setTimeout(() => {
          if (handle.listeners.size || handles.get(id) !== handle) return;
          handles.delete(id);
          if (handle.isRetired) handle.socket.close({ purge: true });
          else handle.socket.close();
        });
      };
    },
    socket: () => current().socket,
    close(...given: []) {
      if (userId === null) return;
      const { socket, tell } = current();
      socket.close(...given);
      // A socket has no event for CLOSING.
      tell();
    },
  };
};

/** Says that this user has gone: what nobody uses any more of that user's connections is purged, not left to linger. */
export const retire = (userId: Settings['userId']) => {
  for (const handle of handles.values()) {
    if (handle.userId === userId) handle.isRetired = true;
  }
};

/** A socket and the components that use it. */
interface Handle {
  readonly socket: SharedWebSocket;
  readonly userId: Settings['userId'];
  readonly listeners: Set<Listener>;
  readonly tell: Listener;
  lastMessage: MessageEvent | null;
  isRetired: boolean;
}

const share = (socket: SharedWebSocket, userId: Settings['userId']): Handle => {
  const listeners = new Set<Listener>();
  const handle: Handle = {
    socket,
    userId,
    listeners,
    tell(message) {
      for (const listener of listeners) listener(message);
    },
    lastMessage: null,
    isRetired: false,
  };
  socket.addEventListener('statuschange', () => handle.tell());
  socket.addEventListener('message', (message) => {
    handle.lastMessage = message;
    handle.tell(message);
  });
  return handle;
};

const idleStatus = (use: string | undefined): Status =>
  Object.freeze({
    state: 'idle',
    host: use === 'this-tab' ? use : 'shared-worker',
    transport: 'websocket',
    attempt: 0,
    nextAttemptAt: null,
    code: null,
    reason: 'unused',
    since: 0,
    epoch: null,
  });

const handles = /* @__PURE__ */ new Map<string, Handle>();
