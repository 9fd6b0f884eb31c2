import type { HubOptions, SocketOptions } from '../../../www/client/index.js';
import type { Browser, Server } from '../harness/index.js';
import type { HostName } from './parse.js';
import { Player } from './player.js';

/** Where a scenario plays: one browser, one server, and the tabs by their names. */
export class Stage {
  readonly browser: Browser;
  readonly server: Server;
  readonly host: HostName;
  readonly players = new Map<string, Player>();
  /** What every socket is opened with. */
  options: SocketOptions = {};
  /** How many messages were cast. */
  casts = 0;
  /** When the last fault befell, or was over if it took its time; in ms since 1970. */
  faultAt = Number.NaN;
  /** How long after a fault the tabs that were waited for were open again, in ms; null while none was ever not. */
  recoverMs: number | null = null;
  /** When that was. */
  #recoveredAt = 0;

  readonly #hub: HubOptions;

  constructor(browser: Browser, server: Server, host: HostName, hub: HubOptions = {}) {
    this.browser = browser;
    this.server = server;
    this.host = host;
    this.#hub = hub;
  }

  player(name: string): Player {
    const player = this.players.get(name);
    if (!player) throw new Error(`there is no tab ${name}`);
    return player;
  }

  /** Opens a tab of that name, with a page and worker of this or of a newer build, and its socket. */
  async open(name: string, build: 'this' | 'newer'): Promise<void> {
    const dist = build === 'this' ? '/dist' : '/newer/dist';
    const tab = await this.browser.openTab(this.server.page(`/page.html?dist=${dist}`));
    await tab.run(
      (hub, use, dist) => {
        window.hubOptions = { ...hub, host: { use, workerUrl: `/faulty-worker.js?dist=${dist}` } };
      },
      { ...this.#hub, ...(this.options.liveness && { liveness: this.options.liveness }) },
      this.host,
      dist,
    );
    const player = new Player(name, tab);
    this.players.set(name, player);
    await player.listen(this.server.socket(), this.options, '', this.casts);
  }

  /** A tab that was waited for is open, since then. */
  handleOpen(since: number): void {
    if (since < this.faultAt) return;
    this.#recoveredAt = Math.max(since, this.#recoveredAt);
    this.recoverMs = this.#recoveredAt - this.faultAt;
  }

  /** A fault is about to befall: waits look at what follows. */
  async mark(): Promise<void> {
    for (const player of this.players.values()) await player.mark();
    this.faultAt = Date.now();
  }

  /** Sends numbered messages to every connection. */
  async cast(count: number): Promise<void> {
    await this.server.control.broadcast(...Array.from({ length: count }, () => `cast ${this.casts++}`));
  }

  /** Says something to every worker that hosts a hub. */
  async tellWorker(what: 'close' | 'restart'): Promise<void> {
    const awake = [...this.players.values()].find(({ isAway }) => !isAway);
    await awake?.tab.run((what) => new BroadcastChannel('test-worker').postMessage(what), what);
  }

  /** How many connections the server should have: one a key, or one a tab. */
  get connections(): number {
    const players = [...this.players.values()];
    return this.host === 'this-tab' ? players.length : new Set(players.map(({ part }) => part.key)).size;
  }
}
