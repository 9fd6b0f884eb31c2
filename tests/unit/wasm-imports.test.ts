// @vitest-environment node
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** The browser calls that the hub makes, one web API a line; `src/web` binds each of them. */
const browserCalls = `
  build code crashed data extensions gone locksFall port1 port2 protocol readyState reason size stack value wasClean workerUrl
  held locks name query request static_accessor_NAVIGATOR then
  now setTimeout clearTimeout getRandomValues
  bufferedAmount close decode encode new_with_str_sequence postMessage send subprotocols translate
  set_binaryType set_onclose set_onmessage set_onmessageerror set_onopen
  error
`;

/** What wasm-bindgen itself and plain JavaScript values take. */
const plainJavaScript = `
  __wbindgen_boolean_get __wbindgen_is_null __wbindgen_is_string __wbindgen_is_undefined
  __wbindgen_jsval_eq __wbindgen_number_get __wbindgen_string_get __wbindgen_throw _wbg_cb_unref
  __wbindgen_is_falsy __wbindgen_is_function add apply byteLength call clear delete done fromEntries get get_unchecked hub_new instanceof_ArrayBuffer instanceof_Blob
  isArray length new new_from_slice next of push set slice values
`;

const words = (text: string) => text.trim().split(/\s+/);

test('the hub calls nothing of the browser but what src/web is there for', () => {
  const module = new WebAssembly.Module(readFileSync('dist/hub.wasm'));
  const imported = WebAssembly.Module.imports(module)
    .map(({ name }) => name.replace(/_[0-9a-f]{16}$/, ''))
    .filter((name) => name.startsWith('__wbg_'))
    .map((name) => name.slice('__wbg_'.length));
  const known = [...words(browserCalls), ...words(plainJavaScript)];
  expect([...new Set(imported)].filter((name) => !known.includes(name))).toEqual([]);
  expect(known.filter((name) => !imported.includes(name))).toEqual([]);
});
