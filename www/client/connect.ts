// biome-ignore-all lint/suspicious/noDoubleEquals: a byte shorter each, where both sides are of one type
import { deadline, Ms } from './deadline.js';
import type { HostOptions } from './options.js';
import { type HubMessage, Op } from './protocol.js';

/** Where a hub runs, as `status.host` tells it. */
export type Host = 'shared-worker' | 'this-tab';

/** The tab's end of a port. */
export type Port = MessagePort | Worker;

/**
 * Goes down the host ladder until a hub says `welcome`: the SharedWorker, then a dedicated worker of this page, then the
 * page itself. A step fails when its constructor throws, when its script errs or does not answer in time, or when its hub is
 * not up in time after that.
 *
 * The ladder begins at rung `first`: 0, or less for as many quick tries at the SharedWorker where one has just died, since a
 * browser may still connect to that.
 *
 * `found` is told of each port that is tried (say hello and attach), `heard` of every message, and `failed` of each failed
 * step: which and how, as in `shared-worker: script-timeout`, and whether it was the last. Returns a function that leaves the
 * hub, found or not.
 */
export const seek = (
  { use, scriptDeadline = 3000, readyDeadline = 15000, workerUrl }: HostOptions,
  first: number,
  found: (port: Port, host: Host) => void,
  heard: (message: HubMessage) => void,
  failed: (why: string, isLast: boolean) => void,
) => {
  let leave: () => void;

  const step = (rung: number) => {
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
      const isLast = rung > 1 || (!rung && use == 'shared-worker');
      if (rung >= 0) failed(`${rungs[rung]}: ${why}`, isLast);
      if (!isLast) step(rung + 1);
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
    };
    const open = (opened: Port) => {
      port = opened;
      port.onmessage = ({ data }: MessageEvent<HubMessage>) => {
        if (!isSettled) {
          if (data[0] == Op.Unavailable) return fail(data[1]);
          if (data[0] == Op.Script) within(readyDeadline, 'ready-timeout');
          if (data[0] == Op.Welcome) settle();
        }
        heard(data);
      };
      found(port, rung > 0 ? 'this-tab' : 'shared-worker');
    };
    within(rung < 0 ? Ms.Dying : scriptDeadline, 'script-timeout');

    try {
      // Bundlers find the worker by `new …Worker(new URL(…))`: these must stay whole and literal.
      if (rung > 1) {
        import('../../worker/local.js')
          .then(({ serve }) => {
            if (isSettled) return;
            const { port1, port2 } = new MessageChannel();
            serve(port2);
            open(port1);
          })
          .catch(() => fail('refused'));
        return;
      }
      const worker =
        rung > 0
          ? workerUrl
            ? new Worker(workerUrl as URL, { type: 'module' })
            : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
          : workerUrl
            ? new SharedWorker(workerUrl as URL, { type: 'module', name: 'tabwire@1' })
            : new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'tabwire@1' });
      worker.onerror = () => fail('error');
      open('port' in worker ? worker.port : worker);
    } catch {
      fail(rung > 0 || globalThis.SharedWorker ? 'refused' : 'missing');
    }
  };

  step(use == 'this-tab' ? 1 : first);
  return () => leave();
};

const rungs = ['shared-worker', 'worker', 'page'];
