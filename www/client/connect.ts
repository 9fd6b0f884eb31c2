import type { HostOptions } from './options.js';
import type { WelcomeBody } from './protocol.js';

/** Where a hub runs, as `status.host` tells it. */
export type Host = 'shared-worker' | 'leader-tab' | 'this-tab';

/** The tab's end of a port. */
export type Port = MessagePort | Worker;

/** A place where a hub may be. */
export type Rung = [
  /** What reasons call it; a place without a name is tried and not spoken of. */
  name: string,
  /** How long its script may take to answer. */
  deadline: number,
  /** Opens it: uses its port or the worker that has it, fails with a word that says why, or throws. */
  open: (use: (opened: Port | SharedWorker) => void, fail: (why: string) => void) => void,
  /** Where the hub runs then, if that is no SharedWorker. */
  host?: Host,
];

/** What came before a search that is not the first. */
export type Past = [
  /** The hub that has died, or that says where to go; none if it died before it was up. */
  hub: WelcomeBody | undefined,
  /** Where it was. */
  at: Host,
  /** What opened its worker. */
  open: Rung[2] | undefined,
  /** Where it says to go. */
  target?: Pick<WelcomeBody, 'workerUrl' | 'name'>,
];

/** Opens the SharedWorker that all tabs of this build share. */
export const openShared = ({ workerUrl }: HostOptions) =>
  // Bundlers find the worker by `new SharedWorker(new URL(…))`: this must stay whole and literal.
  workerUrl
    ? new SharedWorker(workerUrl as URL, { type: 'module', name: 'tabwire@1' })
    : new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'tabwire@1' });
