/** The worker script, in a worker that can be made to fail, or weighed, from outside: by a message on the channel `test-crash`. */
import { memory } from '/wasm-memory.js';
import '/dist/worker.js';

const now = Date.now;

const channel = new BroadcastChannel('test-crash');

channel.onmessage = ({ data: how }) => {
  if (how === 'panic') {
    // The hub reads the clock while it posts a status. To give it a port just then is more than its borrows allow.
    Date.now = () => {
      Date.now = now;
      self.onconnect({ ports: [new MessageChannel().port1] });
      return now();
    };
  } else if (how === 'trap') {
    new Uint8Array(memory().buffer).fill(0xff);
  } else if (how === 'weigh') {
    channel.postMessage({ bytes: memory().buffer.byteLength });
  } else {
    self.close();
  }
};
