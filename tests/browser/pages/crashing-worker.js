/** The worker script, in a worker that can be made to fail from outside: by a message on the channel `test-crash`. */
import { memory } from '/wasm-memory.js';
import '/dist/worker.js';

const now = Date.now;

new BroadcastChannel('test-crash').onmessage = ({ data: how }) => {
  if (how === 'panic') {
    // The hub reads the clock while it posts a status. To give it a port just then is more than its borrows allow.
    Date.now = () => {
      Date.now = now;
      self.onconnect({ ports: [new MessageChannel().port1] });
      return now();
    };
  } else if (how === 'trap') {
    new Uint8Array(memory().buffer).fill(0xff);
  } else {
    self.close();
  }
};
