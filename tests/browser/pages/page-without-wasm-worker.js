/** The worker as it is where its response's CSP forbids wasm. */
WebAssembly.instantiate = WebAssembly.instantiateStreaming = () =>
  Promise.reject(new WebAssembly.CompileError('forbidden'));
WebAssembly.Module = function refuse() {
  throw new WebAssembly.CompileError('forbidden');
};
const early = [];
self.onconnect = (event) => early.push(event);
self.onmessage = (event) => early.push(event);
await import('/dist/worker.js');
for (const event of early) (self.onconnect ?? self.onmessage)(event);
