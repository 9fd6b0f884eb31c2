/** The bytes of the hub: `dist/hub.wasm`. */
declare const wasm: Uint8Array<ArrayBuffer>;
export default wasm;
