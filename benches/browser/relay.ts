import { connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';

/** A way to the server that takes its time. */
export interface Relay {
  /** The url of a WebSocket by this way, such as `/ws`. */
  socket(path?: string): string;
  close(): void;
}

/**
 * Passes every connection on to the server, and holds each byte back for half a round trip in each direction.
 * It takes connections itself, at once: a real path costs one more round trip for TCP and one or two for TLS.
 */
export async function openRelay(wire: string, roundTrip: number): Promise<Relay> {
  const target = new URL(wire);
  const sockets = new Set<Socket>();
  const relay = createServer({ noDelay: true }, (near) => {
    const far = connect(Number(target.port), target.hostname).setNoDelay();
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).on('close', () => sockets.delete(from));
      from.pipe(delayed(roundTrip / 2)).pipe(to);
    }
  });
  await new Promise<void>((resolve, reject) => {
    relay.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const address = relay.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    socket: (path = '/ws') => `ws://127.0.0.1:${port}${path}`,
    close() {
      relay.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Holds everything back for some ms; whatever comes within that time comes later by as much, which a handshake does not notice. */
const delayed = (ms: number) =>
  new Transform({
    transform(chunk, _encoding, done) {
      void pause(ms).then(() => done(null, chunk));
    },
  });
