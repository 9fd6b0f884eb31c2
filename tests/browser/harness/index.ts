export { Browser, openBrowser, type TabOptions } from './browser.js';
export type { BrowserOptions } from './capabilities.js';
export type { CloseRecord, FaultOrder, FloodOrder, ServiceRoute, Stats } from './control.js';
export { type EngineName, engines } from './engines.js';
export { type Server, type ServerOptions, startServer } from './server.js';
export { describeEngines, type SuiteOptions, type Use } from './suite.js';
export type { Tab } from './tab.js';
export { type WaitOptions, waitFor } from './wait.js';
