/** What a socket carries. */
export type SocketFrame = string | ArrayBuffer;

/** The two sides of a translator. */
export interface Ends {
  /** Sends a frame to the server. */
  send(frame: SocketFrame | Blob): void;
  /** Gives a frame to the hub, which reads it as the dialect `json`; what is no message or answer of that goes to every tab. */
  receive(frame: SocketFrame): void;
}

/** What stands between the hub and a server that speaks something else than JSON. Each socket has one of its own. */
export interface Translator {
  /** Takes what is for the server: frames of the dialect `json`, as text, and what tabs send. */
  encode(frame: SocketFrame | Blob): void;
  /** Takes what comes from the server. */
  decode(frame: SocketFrame): void;
}

const makers = new Map<string, (ends: Ends) => Translator>();

/**
 * Registers a subprotocol in code, which sockets name: `subprotocol: 'name'`. To be called in a worker file of one's own, beside
 * the import of `tabwire/worker` and before anything is awaited; its url is the `host.workerUrl` of every socket. An error that a
 * translator throws goes to the console, and its frame is counted as `malformed`. Throws `TypeError` for a name that is taken.
 */
export const registerSubprotocol = (name: string, make: (ends: Ends) => Translator): void => {
  if (!name || ['raw', 'json'].includes(name) || makers.has(name)) throw new TypeError(`subprotocol: ${name}`);
  makers.set(name, make);
};

/** The names that are registered. */
export const subprotocols = () => [...makers.keys()];

/** Makes the translator of a socket. What it gives back tells whether a frame was translated. */
export const translate = (name: string, socket: WebSocket, receive: Ends['receive']) => {
  const own = makers.get(name)?.({ send: (frame) => socket.send(frame), receive });
  const attempt = (take: () => void) => {
    try {
      take();
      return true;
    } catch (error) {
      console.error(error);
      return false;
    }
  };
  return {
    encode: (frame: SocketFrame) => attempt(() => own?.encode(frame)),
    decode: (frame: SocketFrame) => attempt(() => own?.decode(frame)),
  };
};
