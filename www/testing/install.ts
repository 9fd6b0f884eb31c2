// What sockets load when they need it is here already, so that it takes them no more than a turn.
import '../client/answers.js';
import '../client/life.js';
import '../client/topics.js';
import { circuitBreakerManager, configure, pageClients } from '../client/index.js';
import { missingOfPage, setGlobals } from './globals.js';
import { createHubs } from './hubs.js';
import { createServer, type TestServer } from './server.js';
import { socketClass } from './socket.js';
import { openTab, type TestTab } from './tab.js';
import { createTraffic } from './traffic.js';

/** What a test may set. */
export interface TestOptions {
  /** How long `next()`, `connection()` and `settled()` wait before they reject, in ms of real time. Default 4000. */
  patience?: number;
}

/** A hub in this process, and the server behind it. */
export interface TestBrowser {
  /** The server that every WebSocket meets. */
  readonly server: TestServer;
  /** Opens another tab, whose sockets share hub and connections with those of the page. */
  openTab(): TestTab;
  /** Lets the hub crash, as when a browser ends its worker: its connections are lost, and all tabs come back to a fresh one. */
  crashHub(): void;
  /** Waits until nothing is on its way between tabs, hub and server. Time does not pass by it: timers are the test's. */
  settled(): Promise<void>;
  /**
   * Ends the test: closes what is open, takes the hub away and puts back the globals. Rejects, having done so, when the test has
   * left something: sockets or hub clients that are not closed, and waits that nothing has ended.
   */
  restore(): Promise<void>;
}

/**
 * Lets the sockets of this page, and the hooks over them, run on a hub in this process and meet a scripted server. The hub is the
 * one that browsers run, so what a test sees of queues, reconnects, topics and breakers is what users will see. Needs no browser:
 * Node alone, jsdom and happy-dom will do.
 *
 * While it is installed `SharedWorker` and `WebSocket` are its own. Timers may be faked, before this is called. Throws when the
 * installation before has not been restored, and `RangeError` for a bad option.
 */
export const installTabwire = ({ patience = 4000 }: TestOptions = {}): TestBrowser => {
  if (!(patience > 0 && patience < 2 ** 31)) throw new RangeError(`patience: ${patience}`);
  if (isInstalled) throw new Error('tabwire/testing: installTabwire() was called before restore() of the one before');
  isInstalled = true;

  const traffic = createTraffic(patience);
  const [server, listener, endServer] = createServer(traffic);
  const looks = new Map<string | null, [visible: boolean, focused: boolean]>();
  const restorePage = setGlobals(missingOfPage());
  const hubs = createHubs(traffic, (wire, tab) => {
    const look = looks.get(tab);
    if (look) wire.look(...look);
  });
  const { SharedWorker, Worker } = hubs;
  const restoreGlobals = setGlobals({
    SharedWorker,
    WebSocket: socketClass(traffic, listener),
    ...(globalThis.Worker ? {} : { Worker }),
  });
  const tabs: TestTab[] = [];
  // Breakers that modules hold go on at the new hub.
  const nobody = () => {};
  for (const [, add, remove] of Object.values(pageClients)) {
    add(nobody);
    remove(nobody);
  }

  return {
    server,
    openTab() {
      const id = `${tabs.length + 1}`;
      const tab = openTab(id, () => hubs.wires.filter(({ tab }) => tab === id).map(({ wire }) => wire), looks);
      tabs.push(tab);
      return tab;
    },
    crashHub() {
      for (const connection of server.connections) connection.drop();
      hubs.crash();
    },
    settled: traffic.settle,

    async restore() {
      if (!isInstalled) throw new Error('tabwire/testing: restore() was called twice');
      const left: string[] = [];
      try {
        // What has been unmounted closes its sockets by a timer of no time, which may be a faked one.
        await (setTimeout as { clock?: { tickAsync(ms: number): Promise<unknown> } }).clock?.tickAsync(0);
        circuitBreakerManager.reset();
        await traffic.settle();
      } catch (error) {
        left.push(`${error}`);
      }
      const sockets = hubs.wires.flatMap(({ wire }) => [...wire.sockets.values()]);
      if (sockets.length) left.push(`sockets that are not closed: ${sockets.join(', ')}`);
      for (const tab of tabs) tab.close();
      endPage();
      const clients = hubs.wires.filter(({ wire }) => !wire.isLeft).length;
      if (clients) {
        left.push(`hub clients that are not closed: ${clients} (of createHub(), or of a second copy of the package)`);
      }
      const waits = endServer();
      if (waits) left.push(`waits that nothing has ended: ${waits}`);
      hubs.free();
      await traffic.settle().catch(() => {});
      restoreGlobals();
      restorePage();
      isInstalled = false;
      if (left.length) throw new Error(`tabwire/testing: the test has left ${left.join('; ')}`);
    },
  };
};

let isInstalled = false;

/** Ends all sockets of this page, and what `configure` has set, so that the next begins anew. */
const endPage = () => {
  const hasBreakers = Object.keys(circuitBreakerManager.getStats()).length > 0;
  for (const [id, [, , , , quit]] of Object.entries(pageClients)) {
    quit();
    if (!hasBreakers) delete pageClients[id];
  }
  if (!hasBreakers) configure({});
};
