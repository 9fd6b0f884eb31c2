// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Client } from './client.js';
import type { Handle } from './cue.js';
import { Ms } from './deadline.js';
import { type Frame, type HubMessage, Op } from './protocol.js';

/** What has come from the hub and waits. */
export type Inbox = [
  /** Adds a message. */
  push: (message: HubMessage) => void,
  /** Forgets all that waits. */
  clear: () => void,
];

/**
 * Hands messages on in the order of arrival: batches to those handles that take them, in slices, everything else to `take`; what
 * comes meanwhile waits behind them.
 */
export const createInbox = (
  post: Client[0],
  handles: ReadonlySet<Handle>,
  take: (message: HubMessage) => void,
): Inbox => {
  /** What waits; and how many messages of the first, if it is a batch, have been dispatched to whom. */
  const waiting: HubMessage[] = [];
  let done = 0;
  let takers: Handle[];
  let tick: MessageChannel | undefined;

  const pump = () => {
    const until = Date.now() + Ms.Slice;
    for (let pause: unknown; !pause && waiting[0]; pause ||= Date.now() > until) {
      const message = waiting[0];
      if (message[0] == Op.Batch) {
        const frames = message[3];
        if (!done) takers = [...handles].filter((handle) => handle(message));
        const mark = message[5]?.[done];
        const frame = frames[done++] as Frame;
        // Each handle may keep and change its buffer; for a string a copy costs nothing.
        for (const taker of takers) pause = taker(takers[1] ? frame.slice(0) : frame, mark) || pause;
        if (done < frames.length) continue;
        if (message[4]) post([Op.Ack, message[1], message[2] + done]);
      }
      done = 0;
      waiting.shift();
      if (message[0] != Op.Batch) take(message);
    }
    if (!waiting[0]) return;
    if (!tick) {
      tick = new MessageChannel();
      tick.port1.onmessage = pump;
    }
    tick.port2.postMessage(0);
  };

  return [
    (message) => {
      if (waiting.push(message) == 1) pump();
    },
    () => {
      waiting.length = done = 0;
    },
  ];
};
