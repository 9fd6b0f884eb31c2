import { SharedWebSocket, type Status } from '../client/index.js';
import type { Settings } from './settings.js';
import { listen, type Source } from './use-view.js';

/** How a connection is, and what can be done with it. */
export interface View extends Pick<SharedWebSocket, 'status' | 'readyState' | Call> {
  readonly lastMessage: MessageEvent | null;
}

type Call = 'send' | 'subscribe' | 'publish' | 'request' | 'close';

/** A connection as components use it: one handle for all that ask for the same, closed when the last has gone. */
export interface Connection {
  /** What it was made of. */
  readonly settings: Settings;
  /** What is seen of it. */
  readonly source: Source<View>;
  /**
   * Opens the handle, unless it is open, uses it, and keeps it until the returned function is called, which ends the use. Where
   * nobody is signed in it does nothing.
   */
  hold(use: (socket: SharedWebSocket) => () => void): () => void;
}

/** The connection with these settings, of which `id` is the text; nothing is opened. Throws where there is no url. */
export const connectionOf = (id: string, settings: Settings): Connection => {
  const { url, protocols, key, useSharedWorker = true, ...options } = settings;
  if (url === undefined) throw new TypeError('no url, no WebSocketProvider');
  if (!useSharedWorker) options.host = { ...options.host, use: 'this-tab' };
  let latest: Handle | undefined;

  const open = () => {
    // With null it throws.
    const socket = new SharedWebSocket(url, protocols, { ...options, key: key as string });
    const handle: Handle = Object.assign(socket, { key, lastMessage: null, users: 0, purge: false });
    handle.addEventListener('message', (message) => {
      handle.lastMessage = message;
    });
    handles.set(id, handle);
    leave(id, handle);
    return handle;
  };

  // For effects that run before the one that holds it, it is opened; a late call opens nothing that has been left.
  const socket = () => {
    latest = handles.get(id) ?? latest ?? open();
    return latest;
  };

  const hold: Connection['hold'] = (use) => {
    if (key === null) return () => {};
    latest = undefined;
    const handle = socket();
    const release = use(handle);
    handle.purge = false;
    handle.users++;
    return () => {
      release();
      if (!--handle.users) leave(id, handle);
    };
  };

  const calls: Record<string, unknown> = {};
  for (const name of 'send subscribe publish request'.split(' ') as 'send'[]) {
    calls[name] = (...args: [never]) => socket()[name](...args);
  }

  const idle = {
    status: {
      state: 'idle',
      host: useSharedWorker ? 'shared-worker' : 'this-tab',
      transport: 'websocket',
      attempt: 0,
      nextAttemptAt: null,
      code: null,
      reason: 'unused',
      since: 0,
      epoch: null,
    } satisfies Status,
    readyState: 0,
    lastMessage: null,
    ...calls,
    close(...args: []) {
      if (key === null) return;
      socket().close(...args);
      // There is no event for CLOSING.
      socket().dispatchEvent(new Event('statuschange'));
    },
  } as View;
  const live = () => {
    const { status, readyState, lastMessage } = handles.get(id) ?? idle;
    return { ...idle, status, readyState, lastMessage };
  };

  return {
    settings,
    source: [(onChange) => hold((socket) => listen(socket, onChange, 'message', 'statuschange')), live, idle],
    hold,
  };
};

/** Says that this user has gone: what nobody uses any more of that user's connections is purged, not left to linger. */
export const retire = (key: Settings['key']) => {
  for (const handle of handles.values()) {
    if (handle.key === key) handle.purge = true;
  }
};

/** A socket that components use. */
interface Handle extends SharedWebSocket {
  readonly key: Settings['key'];
  lastMessage: MessageEvent | null;
  /** How many hold it. */
  users: number;
  /** Whether it is purged when it is closed: its user has gone. */
  purge: boolean;
}

/** Closes a handle that nobody holds: later, because StrictMode, routers and a changed user unmount what they mount again at once. */
const leave = (id: string, handle: Handle) => {
  setTimeout(() => {
    if (handle.users || handles.get(id) !== handle) return;
    handles.delete(id);
    handle.close({ purge: handle.purge });
  });
};

const handles = /* @__PURE__ */ new Map<string, Handle>();
