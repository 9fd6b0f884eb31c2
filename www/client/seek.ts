// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Host, Past, Port, Rung } from './connect.js';
import { deadline } from './deadline.js';
import { rungsFor } from './ladder.js';
import type { HostOptions } from './options.js';
import { type HubMessage, Op } from './protocol.js';

/**
 * Seeks a hub until one says `welcome`: first in the SharedWorker, then down the ladder. A rung
 * fails when it cannot be opened, when its script errs or does not answer in time, or when its hub is not up in time after
 * that. With a past the ladder says where to begin.
 *
 * `open` opens the SharedWorker, and `first` gives what that gave when the page began.
 *
 * `found` is told of each port that is tried (say hello and attach) and of its rung, `heard` of every message, and `failed`
 * of each failed rung: which and how, as in `shared-worker: script-timeout`; with nothing, that it was the last. Returns a
 * function that leaves the hub, found or not.
 */
export const seek = (
  where: HostOptions,
  past: Past | undefined,
  [open, first]: [open: Rung[2], first?: Rung[2] | undefined],
  found: (port: Port, host: Host, open: Rung[2]) => void,
  heard: (message: HubMessage) => void,
  failed: (why?: string) => void,
) => {
  const { use, scriptDeadline = 3000, readyDeadline = 15000 } = where;
  let leave = () => {};

  const step = ([name, ms, open, host = shared]: Rung, next: (why: string) => void, way = open) => {
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
      way((opened) => {
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
        found(port, host, open);
      }, fail);
    } catch {
      fail(host != shared || globalThis.SharedWorker ? 'refused' : 'missing');
    }
  };

  const descend = (why?: string) => {
    const climb = ([rung, ...rest]: Rung[]) => {
      if (rung) step(rung, () => climb(rest));
      else failed();
    };
    climb(rungsFor(where, [shared, scriptDeadline, open], past, why));
  };

  if (past || (use && use != 'auto' && use != shared)) descend();
  else step([shared, scriptDeadline, open], descend, first);
  return () => leave();
};

const shared = 'shared-worker';
