/** A port to a tab: a `MessagePort`, or the global scope of a dedicated worker. */
export interface HubPort {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
}

/** What a worker script hands to its hub. */
export interface HubEnv {
  /** The name of the build, as `version+hash`: of two hubs that meet, the one of the older yields. */
  build: string;
  /** What tabs make another worker of. */
  workerUrl: string;
  /** The name of the SharedWorker; without one the hub meets no other. */
  name?: string | undefined;
  /** Whether the hub holds a Web Lock as long as it lives. In Firefox that keeps its pages out of the back-forward cache. */
  locks: boolean;
  /** Whether a browser takes the locks of a page that it caches, as WebKit does. */
  locksFall: boolean;
  /** Called after a panic: nothing of the module may be used any more. */
  crashed(detail: string): void;
  /** Called when the hub has done with a port. */
  gone(port: HubPort): void;
  /** Names of subprotocols in code. */
  subprotocols: string[];
  /** Makes the translator of a socket. What it gives back tells whether a frame was translated. */
  translate(
    name: string,
    socket: WebSocket,
    receive: (frame: string | ArrayBuffer) => void,
  ): { encode(frame: string | ArrayBuffer | Blob): boolean; decode(frame: string | ArrayBuffer): boolean };
  /**
   * Makes a request, for what takes the place of a WebSocket; returns what gives it up. `tell` is called with 0, status, type, tag, last change and
   * time to stay away when the headers have come, with 1 and a piece of the body, and with 2 and whether it has ended well.
   */
  request(
    url: string,
    method: string,
    headers: [string, string][],
    body: BodyInit | null,
    tell: (what: number, first: unknown, ...rest: (string | number | null | undefined)[]) => void,
  ): () => void;
}
