/**
 * For unit tests of code that uses `tabwire`: the real hub in the process of the test, and a server that does what the test says.
 *
 * ```ts
 * const { server, restore } = installTabwire();
 * afterEach(restore);
 * ```
 *
 * @module
 */
export type { TestClose, TestConnection, TestFrame } from './connection.js';
export { installTabwire, type TestBrowser, type TestOptions } from './install.js';
export type { TestServer } from './server.js';
export type { TestTab } from './tab.js';
