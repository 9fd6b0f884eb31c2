import { copy, type Traffic } from './traffic.js';

type Listener = ((event: { data: unknown }) => void) | null;

/** One end of a pipe: as much of a `MessagePort` as tab and hub use. */
export class End {
  onmessageerror: Listener = null;
  /** Where what is posted here arrives. */
  other: End | undefined;
  /** Sees what is posted here before it leaves; what it returns leaves instead, if anything. */
  tap = (message: unknown): unknown => message;
  readonly #traffic: Traffic;
  readonly #inbox: unknown[] = [];
  #listener: Listener = null;
  #isClosed = false;

  constructor(traffic: Traffic) {
    this.#traffic = traffic;
  }

  get onmessage(): Listener {
    return this.#listener;
  }

  set onmessage(listener) {
    this.#listener = listener;
    if (listener) for (const _ of this.#inbox) this.#traffic.later(this.#deliver);
  }

  postMessage(message: unknown) {
    const posted = this.tap(copy(message));
    if (posted !== undefined && !this.#isClosed) this.other?.receive(posted);
  }

  /** Takes a message: at once in its order, and not before somebody listens. */
  receive(message: unknown) {
    if (this.#isClosed) return;
    this.#inbox.push(message);
    this.#traffic.count(1);
    if (this.#listener) this.#traffic.later(this.#deliver);
  }

  readonly #deliver = () => {
    if (!this.#listener || this.#inbox.length === 0) return;
    const data = this.#inbox.shift();
    this.#traffic.count(-1);
    this.#listener({ data });
  };

  /** Nothing is heard here any more, and nothing said. */
  close() {
    this.#isClosed = true;
    for (const _ of this.#inbox.splice(0)) this.#traffic.count(-1);
  }

  /** The hub has done with it. */
  leave() {
    this.close();
  }
}

/** The two ends of a pipe. */
export const createPipe = (traffic: Traffic): [near: End, far: End] => {
  const [near, far] = [new End(traffic), new End(traffic)];
  near.other = far;
  far.other = near;
  return [near, far];
};
