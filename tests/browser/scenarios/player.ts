import type { SocketOptions, Status } from '../../../www/client/index.js';
import { type Tab, waitFor } from '../harness/index.js';
import type { Probe } from '../pages/probe.js';

/** A socket that a tab of a scenario has or had. */
export interface Part {
  /** Its name in the page. */
  readonly socket: string;
  readonly key: string;
  /** The first cast that it must get or be told of. */
  readonly from: number;
  /** The first that it need not, once it was closed. */
  until?: number;
}

/** A tab of a scenario. */
export class Player {
  readonly name: string;
  readonly tab: Tab;
  /** Its sockets, the present one last. */
  readonly parts: Part[] = [];
  /** How many messages it has sent. */
  sent = 0;
  /** Whether nothing can be run in it now. */
  isAway = false;
  /** From which of its statuses on the next wait looks. */
  #cursor = 0;
  #tokens = false;
  /** From which of its statuses on it shows what the first fault did to it. */
  #shownFrom = Number.POSITIVE_INFINITY;

  constructor(name: string, tab: Tab) {
    this.name = name;
    this.tab = tab;
  }

  get part(): Part {
    const part = this.parts.at(-1);
    if (!part) throw new Error(`tab ${this.name} has no socket`);
    return part;
  }

  /** Opens a socket that must get every cast from number `from` on, and waits until it is open. */
  async listen(url: string, options: SocketOptions, key: string, from: number): Promise<void> {
    const socket = key || 'main';
    this.#tokens ||= 'auth' in options;
    await this.tab.run(listenInPage, url, { ...options, key }, socket, this.#tokens ? `token-${this.name}` : '');
    this.parts.push({ socket, key, from });
    this.#cursor = 0;
    if (Number.isFinite(this.#shownFrom)) this.#shownFrom = 0;
    await this.until('open', 20_000);
  }

  /** Everything that happened to a socket of this tab. */
  probe(part = this.part): Promise<Probe> {
    return this.tab.run((socket) => window.probe(socket), part.socket);
  }

  /** The next wait looks at the status of now and at later ones. */
  async mark(): Promise<void> {
    if (this.isAway) return;
    const { length } = await this.#statuses();
    this.#cursor = Math.max(0, length - 1);
    this.#shownFrom = Math.min(this.#shownFrom, length);
  }

  /** Waits until the tab shows a state, or has shown it since the mark; gives the status with which it did. */
  async until(state: string, timeout: number): Promise<Status> {
    const find = (statuses: Status[]) =>
      statuses.findIndex((status, index) => index >= this.#cursor && status.state === state);
    const statuses = await waitFor(`tab ${this.name} to be ${state}`, () => this.#statuses(), {
      until: (statuses) => find(statuses) >= 0,
      timeout,
    });
    this.#cursor = find(statuses);
    return statuses[this.#cursor] as Status;
  }

  /** What it has shown since the first fault, each state and reason once. */
  async shown(): Promise<string[]> {
    const statuses = (await this.#statuses()).slice(this.#shownFrom);
    return [...new Set(statuses.map(({ state, reason }) => `${state} ${reason.replace(/;.*/, '')}`))];
  }

  /** Waits until it has the last cast, as it is: what comes after a close is nobody's. */
  async untilHeard(casts: number): Promise<void> {
    if (casts <= this.part.from) return;
    const last = `cast ${casts - 1}`;
    await waitFor(`${last} at tab ${this.name}`, async () => (await this.probe()).texts.includes(last));
  }

  /** Sends numbered messages, each with the sender's name and key. */
  async send(count: number): Promise<void> {
    await this.tab.run(
      (socket, texts) => {
        for (const text of texts) window.socket(socket).send(text);
      },
      this.part.socket,
      Array.from({ length: count }, () => `${this.name}@${this.part.key}:${this.sent++}`),
    );
  }

  #statuses(): Promise<Status[]> {
    return this.tab.run((socket) => window.probe(socket).statuses, this.part.socket);
  }
}

/** A token function cannot be given as JSON: the page makes one that returns another token each time. */
function listenInPage(url: string, options: SocketOptions, socket: string, token: string): void {
  if (token) {
    let count = 0;
    Object.assign((options as { auth: object }).auth, { token: () => `${token}-${++count}` });
  }
  window.listen(url, options, socket);
}
