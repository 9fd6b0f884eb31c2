/** Counts the batches that tabwire posts to this page; the other ways have none, and are left alone. */

/** The constructor for workers that are not tabwire's. */
export const Uncounted = SharedWorker;

/** Starts to count. */
export function countBatches() {
  counted = { batches: 0, batched: 0 };
}

/** How many batches came, and how many messages in them. */
export const batches = () => counted;

let counted = { batches: 0, batched: 0 };

/** The op of a batch in docs/PROTOCOL.md. */
const batch = 69;

window.SharedWorker = class extends SharedWorker {
  /** @param {ConstructorParameters<typeof SharedWorker>} args */
  constructor(...args) {
    super(...args);
    this.port.addEventListener('message', ({ data }) => {
      if (data[0] !== batch) return;
      counted.batches += 1;
      counted.batched += data[3].length;
    });
  }
};
