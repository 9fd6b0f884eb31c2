/** What is on its way between tabs, hub and server, so that a test can wait until nothing is. */
export interface Traffic {
  /** Does something in a later turn; what throws then is an unhandled rejection. */
  later(what: () => unknown): void;
  /** Counts what waits without a turn of its own: `1` more, or `-1`. */
  count(change: 1 | -1): void;
  /** Waits until nothing is on its way. */
  settle(): Promise<void>;
  /** Waits for something, no longer than the patience of the test; `what` names it in the error. */
  within<T>(wait: Promise<T>, what: string): Promise<T>;
}

/** Makes a traffic whose waits end after `patience` ms of real time. */
export const createTraffic = (patience: number): Traffic => {
  let underway = 0;
  const traffic: Traffic = {
    later(what) {
      underway++;
      // Not a timer and no MessageChannel: it goes on by itself under fake timers, in every environment.
      void Promise.resolve()
        .then(what)
        .finally(() => {
          underway--;
        });
    },
    count(change) {
      underway += change;
    },
    async settle() {
      let isLate = false;
      const wait = async () => {
        do await turn();
        while (underway && !isLate);
      };
      try {
        await traffic.within(wait(), 'settled(): for the end of all traffic');
      } finally {
        isLate = true;
      }
    },
    within: (wait, what) =>
      new Promise((resolve, reject) => {
        const late = () => reject(new Error(`tabwire/testing: ${what}: waited in vain for ${patience} ms`));
        const timer = realSetTimeout(late, patience);
        const done = () => realClearTimeout(timer);
        wait.then(resolve, reject).finally(done);
      }),
  };
  return traffic;
};

/** A copy of what a port or a socket carries, made in this realm: environments bring classes that `structuredClone` does not know. */
export const copy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) return (value as Uint8Array).slice();
  if (Object(value) !== value || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, copy(item)]));
};

/** A task of its own, by a timer that is not faked. */
const turn = () => new Promise<void>((resolve) => realSetTimeout(resolve, 0));

const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;
