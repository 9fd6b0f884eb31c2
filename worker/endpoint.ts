/** What a hub needs of a port: a `MessagePort`, or the global scope of a dedicated worker. */
export interface Endpoint {
  postMessage(message: unknown): void;
  onmessage: ((event: MessageEvent) => void) | null;
  /** The hub has done with it. */
  leave?(): void;
}
