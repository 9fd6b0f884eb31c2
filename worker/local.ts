import { __wbg_reset_state as resetGlue } from '#glue';
import type { Endpoint } from './endpoint.js';
import { createHost } from './host.js';

/**
 * Runs a hub in the page itself, for a page that may not have workers. Each call takes the port of a hub of its own.
 * A worker that fails closes itself; here the wasm is instantiated afresh, and what is left of the old instance is inert.
 */
export const serve = (port: MessagePort): void => {
  createHost(location.href, undefined, () => {
    port.close();
    resetGlue();
  }).open(port as Endpoint);
};
