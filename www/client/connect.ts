// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import { deadline } from './deadline.js';
import type { HostOptions } from './options.js';
import { type HubMessage, Op, type WelcomeBody } from './protocol.js';

/** Where a hub runs, as `status.host` tells it. */
export type Host = 'shared-worker' | 'this-tab';

/** The tab's end of a port. */
export type Port = MessagePort | Worker;

/** A place where a hub may be. */
export type Rung = [
  /** What reasons call it; a place without a name is tried and not spoken of. */
  name: string,
  /** How long its script may take to answer. */
  deadline: number,
  /** Opens it: uses its port or the worker that has it, fails with a word that says why, or throws. */
  open: (use: (opened: Port | SharedWorker) => void, fail: (why: string) => void) => void,
  /** Whether the hub is this page's own. */
  isLocal?: boolean,
];

/** What came before a search that is not the first. */
export type Past = [
  /** The hub that has died, or that says where to go; none if it died before it was up. */
  hub: WelcomeBody | undefined,
  /** Where it was. */
  at: Host,
  /** What opened its worker. */
  open: Rung[2] | undefined,
  /** Where it says to go. */
  target?: Pick<WelcomeBody, 'workerUrl' | 'name'>,
];

/**
 * Seeks a hub until one says `welcome`: first in the SharedWorker, then down the ladder, which is loaded only then. A rung
 * fails when it cannot be opened, when its script errs or does not answer in time, or when its hub is not up in time after
 * that. With a past the ladder says where to begin.
 *
 * `found` is told of each port that is tried (say hello and attach) and of its rung, `heard` of every message, and `failed`
 * of each failed rung: which and how, as in `shared-worker: script-timeout`; with nothing, that it was the last. Returns a
 * function that leaves the hub, found or not.
 */
export const seek = (
  where: HostOptions,
  past: Past | undefined,
  found: (port: Port, host: Host, open: Rung[2]) => void,
  heard: (message: HubMessage) => void,
  failed: (why?: string) => void,
) => {
  const { use, scriptDeadline = 3000, readyDeadline = 15000, workerUrl } = where;
  let leave: () => void;

  const step = ([name, ms, open, isLocal]: Rung, next: (why: string) => void) => {
    let port: Port | undefined;
    let isSettled = false;
    let cancel = () => {};
    const within = (ms: number, why: string) => {
      cancel();
      cancel = deadline(ms, () => fail(why));
    };
    const fail = (why: string) => {
      if (isSettled) return;
      leave();
      if (name) failed(`${name}: ${why}`);
      next(why);
    };
    const settle = () => {
      isSettled = true;
      cancel();
    };
    leave = () => {
      settle();
      if (!port) return;
      port.onmessage = null;
      port.postMessage([Op.Bye]);
      if ('terminate' in port) port.terminate();
      else port.close();
      port = undefined;
    };
    within(ms, 'script-timeout');
    try {
      open((opened) => {
        if (isSettled) return;
        (opened as Worker).onerror = () => fail('error');
        port = 'port' in opened ? opened.port : opened;
        port.onmessage = ({ data }: MessageEvent<HubMessage>) => {
          if (!isSettled) {
            if (data[0] == Op.Unavailable) return fail(data[1]);
            if (data[0] == Op.Script) within(readyDeadline, 'ready-timeout');
            if (data[0] == Op.Welcome) settle();
          }
          heard(data);
        };
        found(port, isLocal ? 'this-tab' : 'shared-worker', open);
      }, fail);
    } catch {
      fail(isLocal || globalThis.SharedWorker ? 'refused' : 'missing');
    }
  };

  // Bundlers find the worker by `new SharedWorker(new URL(…))`: this must stay whole and literal.
  const shared: Rung = [
    'shared-worker',
    scriptDeadline,
    (use) =>
      use(
        workerUrl
          ? new SharedWorker(workerUrl as URL, { type: 'module', name: 'tabwire@1' })
          : new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'tabwire@1' }),
      ),
  ];

  const descend = (why?: string) => {
    let isLeft = false;
    leave = () => {
      isLeft = true;
    };
    const climb = ([rung, ...rest]: Rung[]) => {
      if (rung) step(rung, () => climb(rest));
      else failed();
    };
    loadLife()
      .then(({ rungsFor }) => rungsFor(where, shared, past, why))
      .catch(() => [])
      .then((rungs) => isLeft || climb(rungs));
  };

  if (past || use == 'this-tab') descend();
  else step(shared, descend);
  return () => leave();
};

/** Loads what a page needs beyond its first hub, or where there is no SharedWorker. */
export const loadLife = () => import('./life.js');
