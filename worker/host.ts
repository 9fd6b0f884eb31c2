import init, { Hub } from '#glue';
import { type HelloBody, Op, type TabMessage } from '../www/client/protocol.js';
import type { Endpoint } from './endpoint.js';
import { lead } from './lead.js';
import { request } from './requests.js';
import { subprotocols, translate } from './subprotocols.js';
import { ownWasm } from './wasm.js';

declare const __BUILD__: string;

/** What brings up a hub and hands it its ports. */
export interface Host {
  /** Takes a port. It may be used at once; what it says before the hub is up is kept. */
  open(port: Endpoint): void;
  /** The hub has failed: says so at every port, and ends. */
  crash(detail: string): void;
  /** Gives back all that the hub has, and says nothing. */
  free(): void;
}

/**
 * Makes a host without a hub. The wasm is loaded at the first `hello`, which may say where it lies; when that fails every
 * waiting port is told, and the next `hello` tries again. `workerUrl` and the `name` of a
 * SharedWorker are what tabs make another worker of, `end` ends this one, and `start` starts a hub.
 */
export const createHost = (workerUrl: string, name: string | undefined, end: () => void, start = Hub.start): Host => {
  const ports = new Set<Endpoint>();
  const waiting = new Map<Endpoint, unknown[]>();
  let hub: Hub | undefined;
  let loading = false;

  const load = async ({ wasmUrl, liveness }: Partial<HelloBody>) => {
    if (loading) return;
    loading = true;
    try {
      await init({ module_or_path: wasmUrl ?? ownWasm() });
      hub = await start({
        build: __BUILD__,
        workerUrl,
        name,
        locks: liveness === 'locks',
        // Every engine but Firefox calls itself WebKit, and all that are not it Chrome as well.
        locksFall: /AppleWebKit/.test(navigator.userAgent) && !/Chrom/.test(navigator.userAgent),
        crashed: host.crash,
        gone: forget,
        subprotocols: subprotocols(),
        translate,
        request,
      });
      for (const port of [...waiting.keys()]) connect(port);
    } catch (error) {
      loading = false;
      for (const port of waiting.keys()) {
        port.postMessage([Op.Unavailable, 'wasm-unavailable', String(error)]);
        forget(port);
      }
    }
  };

  const connect = (port: Endpoint) => {
    const said = waiting.get(port) ?? [];
    waiting.delete(port);
    hub?.connect(port, said);
  };

  const forget = (port: Endpoint) => {
    ports.delete(port);
    waiting.delete(port);
    port.leave?.();
  };

  const host: Host = {
    open(port) {
      const said: unknown[] = [];
      ports.add(port);
      waiting.set(port, said);
      port.onmessage = ({ data }: MessageEvent<TabMessage>) => {
        if (data?.[0] === Op.Lead) return lead(host, data[1], data[2]);
        said.push(data);
        if (data?.[0] === Op.Hello) void load(data[1] ?? {});
      };
      port.postMessage([Op.Script, __BUILD__]);
      if (hub) connect(port);
    },

    crash(detail) {
      for (const port of ports) port.postMessage([Op.Crashed, detail]);
      ports.clear();
      end();
    },

    free() {
      hub?.free();
      hub = undefined;
    },
  };
  return host;
};
