import { Hub, initSync } from '#glue';
import wasm from '#wasm';
import { createHost, type Host } from '../../worker/host.js';
import { createPipe, type End } from './pipe.js';
import type { Traffic } from './traffic.js';
import { createWire, type Wire } from './wire.js';

/** The hubs of a test: the real one, in this process, wherever the page believes that it starts a worker. */
export interface Hubs {
  /** Takes the place of `SharedWorker`. */
  SharedWorker: unknown;
  /** Takes the place of `Worker`. */
  Worker: unknown;
  /** All wires that there have been, in order; those of `openTab` by the number of the tab. */
  readonly wires: readonly { wire: Wire; tab: string | null }[];
  /** Lets every hub crash: tabs come back to a fresh one. */
  crash(): void;
  /** Ends every hub without a word. */
  free(): void;
}

/** Makes what hubs are made of; `connected` is told of each wire before anything has gone through it. */
export const createHubs = (traffic: Traffic, connected: (wire: Wire, tab: string | null) => void): Hubs => {
  initSync({ module: wasm });
  const hubs = new Map<unknown, Host>();
  const wires: { wire: Wire; tab: string | null }[] = [];
  /** The ends of wires that each hub has. */
  const ends = new Map<unknown, End[]>();

  /** Starts a hub whose own tasks are part of the traffic. */
  const start: typeof Hub.start = (env) => {
    const { MessageChannel } = globalThis;
    Object.assign(globalThis, {
      MessageChannel: class {
        constructor() {
          [this.port1, this.port2] = createPipe(traffic);
        }
        port1: unknown;
        port2: unknown;
      },
    });
    try {
      return Hub.start(env);
    } finally {
      Object.assign(globalThis, { MessageChannel });
    }
  };

  const hubOf = (id: unknown, url: URL) => {
    // Without a name: it meets no hub of another test file, which may run in this very process.
    const hub = hubs.get(id) ?? createHost(url.href, undefined, () => end(id), start);
    hubs.set(id, hub);
    return hub;
  };
  const end = (id: unknown) => {
    hubs.get(id)?.free();
    hubs.delete(id);
    for (const far of ends.get(id) ?? []) far.close();
    ends.delete(id);
  };
  const connect = (given: unknown, own?: object) => {
    const url = new URL(`${given}`, document.baseURI);
    const id = own ?? url.hash;
    const wire = createWire(traffic);
    const tab = url.searchParams.get('tabwire-tab');
    wires.push({ wire, tab });
    connected(wire, tab);
    ends.set(id, [...(ends.get(id) ?? []), wire.far]);
    hubOf(id, url).open(wire.far as never);
    return wire;
  };

  return {
    wires,
    SharedWorker: class {
      onerror = null;
      readonly port: unknown;
      constructor(url: unknown) {
        // Whatever it is called: a page that lost its hub asks by another name.
        this.port = connect(url).near;
      }
    },
    Worker: class {
      constructor(url: unknown) {
        const id = {};
        const { near } = connect(url, id);
        // biome-ignore lint/correctness/noConstructorReturn: its scope is the one port
        return Object.assign(near, { onerror: null, terminate: () => end(id) });
      }
    },
    crash() {
      for (const hub of [...hubs.values()]) hub.crash('crashed by the test');
    },
    free() {
      for (const id of [...hubs.keys()]) end(id);
    },
  };
};
