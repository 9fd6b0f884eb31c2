import { type Bit, Op } from '../client/protocol.js';
import { createPipe, type End } from './pipe.js';
import type { Traffic } from './traffic.js';

/** What a page has connected to a hub, looked at from between. */
export interface Wire {
  /** The page's end, and the hub's. */
  readonly near: End;
  readonly far: End;
  /** The urls of the sockets that the page has open, by the number of their handle. */
  readonly sockets: ReadonlyMap<number, string>;
  /** Whether the page has left. */
  readonly isLeft: boolean;
  /** Says for the page that it is seen so, and whatever it says itself from now on. */
  look(visible: boolean, focused: boolean): void;
  /** The page is dead: what it says does not arrive. */
  cut(): void;
}

/** Makes a wire. */
export const createWire = (traffic: Traffic): Wire => {
  const [near, far] = createPipe(traffic);
  const sockets = new Map<number, string>();
  let isLeft = false;
  let isCut = false;
  let look: [visible: Bit, focused: Bit] | undefined;

  near.tap = (message) => {
    const [op, first, second] = message as [Op, number, { url: string } | undefined];
    if (op === Op.Attach) sockets.set(first, second?.url ?? '');
    if (op === Op.Detach) sockets.delete(first);
    if (op === Op.Bye) {
      isLeft = true;
      sockets.clear();
    }
    if (isCut) return undefined;
    if (look && op === Op.Visibility) return [op, ...look];
    if (look && op === Op.Hello) return [op, { ...(first as unknown as object), visible: look[0], focused: look[1] }];
    return message;
  };
  far.tap = (message) => {
    const [op, handle] = message as [Op, number];
    if (op === Op.Closed || op === Op.Refused) sockets.delete(handle);
    return message;
  };

  return {
    near,
    far,
    sockets,
    get isLeft() {
      return isLeft;
    },
    look(visible, focused) {
      look = [+visible as Bit, +focused as Bit];
      if (!isLeft) near.postMessage([Op.Visibility, ...look]);
    },
    cut() {
      isCut = true;
    },
  };
};
