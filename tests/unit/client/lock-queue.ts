type Granted = (lock: object | null) => unknown;

interface Request {
  grant: () => void;
  refuse: (why: unknown) => void;
}

/** The Web Locks of an origin, all of them exclusive: first come first served, or stolen. */
export class LockQueue {
  readonly #holders = new Map<string, { rob: () => void }>();
  readonly #waiting = new Map<string, Request[]>();
  /** How often a lock was stolen from somebody. */
  thefts = 0;
  /** Makes every request fail, as in an opaque origin. */
  isForbidden = false;
  /** Holds back what those do who are granted a lock, if it is set. */
  late: (() => void)[] | undefined;

  isHeld(name: string) {
    return this.#holders.has(name);
  }

  /** How many wait. */
  waiting(name: string) {
    return this.#queue(name).length;
  }

  request(name: string, options: LockOptions, granted: Granted): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.isForbidden) return reject(new DOMException('opaque', 'SecurityError'));
      const { signal, steal, ifAvailable } = options;
      if (signal?.aborted) return reject(signal.reason);
      const queue = this.#queue(name);
      if (ifAvailable && (this.isHeld(name) || queue.length))
        return resolve(Promise.resolve().then(() => granted(null)));
      const request: Request = {
        grant: () => {
          const holder = {
            rob: () => {
              this.thefts++;
              reject(new DOMException('stolen', 'AbortError'));
            },
          };
          this.#holders.set(name, holder);
          signal?.removeEventListener('abort', giveUp);
          const free = () => {
            // A thief holds it.
            if (this.#holders.get(name) !== holder) return;
            this.#holders.delete(name);
            this.#next(name);
          };
          new Promise<void>((run) => (this.late ? this.late.push(run) : run()))
            .then(() => granted({ name }))
            .then(resolve, reject)
            .finally(free);
        },
        refuse: reject,
      };
      const giveUp = () => {
        queue.splice(queue.indexOf(request), 1);
        request.refuse(signal?.reason);
      };
      signal?.addEventListener('abort', giveUp);
      if (steal) {
        const robbed = this.#holders.get(name);
        this.#holders.delete(name);
        robbed?.rob();
        queue.unshift(request);
      } else {
        queue.push(request);
      }
      this.#next(name);
    });
  }

  #queue(name: string) {
    const queue = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, queue);
    return queue;
  }

  #next(name: string) {
    if (!this.isHeld(name)) this.#queue(name).shift()?.grant();
  }
}
