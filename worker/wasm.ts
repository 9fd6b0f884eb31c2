/** In `worker.inline.js` the wasm itself, deflated and in base64; elsewhere undefined. */
declare const __WASM__: string | undefined;

/** What the hub is made of where no page says where that lies: the file beside this one, or what this one has inside. */
export const ownWasm = (): URL | Response => (__WASM__ ? inflate(__WASM__) : new URL('./hub.wasm', import.meta.url));

/** As the answer of a server, so that it is compiled while it is inflated. */
const inflate = (base64: string) => {
  const deflated = new Blob([Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))]);
  const body = deflated.stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(body, { headers: { 'content-type': 'application/wasm' } });
};
