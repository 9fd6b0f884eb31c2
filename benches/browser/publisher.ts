import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

export interface Stream {
  readonly count: number;
  /** Messages a second. */
  readonly rate: number;
  /** Bytes a message as it arrives. */
  readonly size: number;
}

/** A WebSocket client of this process whose messages the server passes on to every other connection. */
export interface Publisher {
  /** Publishes numbered messages, each stamped with the ms since 1970 at which it is sent. */
  publish(stream: Stream): Promise<void>;
  close(): void;
}

/** Connects to a url (ws://) of the server. */
export async function openPublisher(url: string): Promise<Publisher> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect(Number(port), hostname).setNoDelay();
  socket.write(
    [
      `GET ${pathname} HTTP/1.1`,
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`,
      '\r\n',
    ].join('\r\n'),
  );
  await new Promise((resolve, reject) => {
    socket.once('data', resolve).once('error', reject);
  });
  // What comes back, its own messages among it, is not looked at.
  socket.resume();
  return {
    async publish({ count, rate, size }) {
      const began = performance.now();
      for (let number = 0; number < count; ) {
        const due = Math.min(count, 1 + Math.floor(((performance.now() - began) * rate) / 1000));
        while (number < due) socket.write(textFrame(message(number++, size)));
        await pause(1);
      }
    },
    close: () => void socket.destroy(),
  };
}

/** An order to broadcast; the server puts a time beside the data. */
function message(number: number, size: number): string {
  const stamp = (performance.timeOrigin + performance.now()).toFixed(3);
  const data = `${number} ${stamp} `.padEnd(size - envelope.length, 'x');
  return JSON.stringify({ type: 'broadcast', data });
}

const envelope = JSON.stringify({ type: 'broadcast', timestamp: new Date(0).toISOString(), data: '' });

/** A masked frame, as a client's must be; the mask of zeros leaves the text as it is. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}
