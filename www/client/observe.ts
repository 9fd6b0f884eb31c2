/** What is loaded by who wants to know how the hub is. */
export { inspect } from './inspect.js';
export { follow } from './log.js';
export { ask, getRecoveryStats, getStabilityReport, metrics } from './reports.js';
