// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type

import { type Host, openShared, type Port, type Rung } from './connect.js';
import { Cue, type CueMessage, type Handle } from './cue.js';
import { Ms } from './deadline.js';
import { UnsupportedError } from './errors.js';
import type { Inner, Life } from './life.js';
import { checkHubOptions, type HubOptions, type SocketOptions } from './options.js';
import { type Bit, type HubMessage, Op, Protocol, type TabMessage } from './protocol.js';

declare const __BUILD__: string;

/** A page's one port to a hub, which its handles share. */
export type Client = [
  /** Posts a message. Returns the port, if there is one. */
  post: (message: TabMessage) => unknown,
  /** Adds a handle, and seeks a hub for the first. */
  add: (handle: Handle) => void,
  /** Forgets a handle. Returns whether it was there. */
  remove: (handle: Handle) => boolean,
  /** Where the hub runs or is sought, which hub it is, what else there is to say of that, and what opened its worker. */
  place: () => readonly [host: Host, epoch: string | null, trail: Set<string>, open: Rung[2] | undefined],
  /** Ends all handles and leaves the hub. */
  quit: () => void,
];

/** Makes a client; nothing happens before its first handle. */
export const createClient = ({ host: where = {}, liveness }: HubOptions): Client => {
  if (!globalThis.document) throw new UnsupportedError('no page');
  // Some 100 random bits: an id that must be unique, not secret.
  const tab = `${Math.random()}${Math.random()}`;
  const wasmUrl = where.wasmUrl && new URL(where.wasmUrl, document.baseURI).href;
  // A lock keeps a page out of the back-forward cache of Firefox, the one that names no vendor.
  let locks: LockManager | '' | false | undefined =
    (liveness == 'locks' || (liveness != 'heartbeat' && navigator.vendor)) && navigator.locks;
  let lock: string | undefined;
  const handles = new Set<Handle>();
  const { use = 'auto' } = where;
  const best = use == 'auto' ? 'shared-worker' : use;
  let host: Host = best;
  let epoch: string | null = null;
  const trail = new Set<string>();
  let port: Port | null = null;
  let isRunning = false;
  let life: Life | undefined;
  /** The worker that the page begins with, if it could be opened; and whether it has failed. */
  let worker: SharedWorker | undefined;
  let isBroken: unknown;
  let open: Rung[2] | undefined;

  const post = (message: TabMessage) => {
    port?.postMessage(message);
    return port;
  };

  const tell = (message: HubMessage | CueMessage) => {
    for (const handle of handles) handle(message);
  };

  const adopt: Inner[5] = (opened, ...place) => {
    port = opened;
    if (!opened) return;
    [host, open] = place as [Host, Rung[2]];
    // The first has been greeted without waiting for what seeks it.
    if (opened != worker?.port) greet();
  };

  const abandon = () => {
    port = null;
  };

  const greet = () => {
    post([
      Op.Hello,
      {
        protocol: Protocol.Major,
        build: __BUILD__,
        tab,
        liveness: locks ? 'locks' : 'heartbeat',
        lock,
        visible: +!document.hidden as Bit,
        focused: +document.hasFocus() as Bit,
        online: +navigator.onLine as Bit,
        wasmUrl,
      },
    ]);
    tell([Cue.Attach]);
  };

  /** A hub says who it is. */
  const meet = (name: string) => {
    if (name != epoch) forget();
    epoch = name;
  };

  /** What the hub knew is gone. */
  const forget = (cue: CueMessage = [Cue.Lose]) => {
    epoch = null;
    tell(cue);
  };

  const quit = (failure?: string) => {
    isRunning = false;
    if (life) life[0]();
    else post([Op.Bye]);
    abandon();
    forget([Cue.End, null, failure]);
  };

  /** Takes a lock that shows that this tab lives, and then calls back. */
  const hold = (then: () => void) => {
    if (!locks) return then();
    lock = `tabwire:${Math.random()}`;
    locks
      .request(lock, () => {
        then();
        return new Promise(() => {});
      })
      .catch(() => {
        locks = false;
        then();
      });
  };

  const openWorker = () => openShared(where);

  /** Opens the worker. What it says waits at its port until the page has loaded what listens. */
  const begin = () => {
    worker = isBroken = undefined;
    trail.clear();
    if (best == 'shared-worker') {
      try {
        worker = openWorker();
        worker.onerror = () => {
          isBroken = 1;
        };
        port = worker.port;
        greet();
      } catch {}
    }
    load();
  };

  const load = () => {
    import('./life.js').then(
      ({ live }) => {
        life ??= live(
          client,
          [handles, () => locks, meet, hold, greet, adopt, forget, abandon, openWorker],
          where,
          quit,
        );
        if (isRunning)
          life[1]((use, fail) => {
            use(worker as SharedWorker);
            if (isBroken) fail('error');
          });
      },
      () => setTimeout(load, Ms.Silence),
    );
  };

  const client: Client = [
    post,
    (handle) => {
      handles.add(handle);
      handle([Cue.Attach]);
      if (isRunning) return;
      isRunning = true;
      hold(begin);
    },
    (handle) => handles.delete(handle),
    () => [host, epoch, trail, open],
    quit,
  ];
  return client;
};

/** The client of sockets with these options: one a page for each place where a hub can run. */
export const clientFor = ({ host, liveness }: SocketOptions) => {
  const where = { ...defaults.host, ...host };
  const id = `${[where.use, where.workerUrl, where.wasmUrl]}`;
  clients[id] ??= createClient({ liveness, ...defaults, host: where });
  return clients[id];
};

/**
 * Sets the options of the hub client that the page's sockets share, before the first of them is made.
 * A socket's own `host` options go before these. Throws `InvalidStateError` later.
 */
export const configure = (options: HubOptions) => {
  if (Object.keys(clients)[0]) throw new DOMException('configure() comes before the first socket', 'InvalidStateError');
  defaults = checkHubOptions(options);
};

let defaults: HubOptions = {};
/** The clients of this page's sockets, by what tells them apart. */
export const clients: Record<string, Client> = {};
