import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { at } from '../../../scripts/lib/paths.mjs';
import { describeEngines, type EngineName, type Tab } from '../harness/index.js';
import { first } from '../listening.js';

/** What a case works with, in the page. */
export interface Kit {
  /** The constructor that it is about: `WebSocket`, or `SharedWebSocket`. */
  readonly Socket: typeof WebSocket;
  /** The url of a server that sends back what it gets; another one for each case. */
  readonly url: string;
  /** A socket at that url; it is closed after the case. */
  make(protocols?: string | string[]): WebSocket;
  /** The same, once it is open. */
  open(protocols?: string | string[]): Promise<WebSocket>;
  /** The next event of a type. */
  next<T extends Event = CloseEvent>(socket: WebSocket, type: string): Promise<T>;
  /** The data of the next messages, so many, with binary read as `[bytes]`. */
  messages(socket: WebSocket, count: number): Promise<unknown[]>;
  /** The name of what is thrown, `nothing` if nothing is. */
  thrown(what: () => unknown): string;
  /** Gives the server an order: see the controls of `tests/server/README.md`. */
  order(control: string, body?: object): Promise<unknown>;
}

/** One behaviour of the WebSocket interface. */
export interface Case {
  /** The files of the web platform tests, below `websockets/`, that it restates. */
  readonly wpt: string;
  /** Runs in the page, and sees nothing of this file. */
  readonly run: (kit: Kit) => unknown;
  /** What comes of it: with WebSocket, and with ours too unless that differs. */
  readonly gives: unknown;
  /** What comes of it with WebSocket in engines that do something else than the standard says. */
  readonly native?: Partial<Record<EngineName, unknown>>;
  /** What comes of it with ours instead, and which difference of docs/DROP-IN.md that is. */
  readonly differs?: { gives: unknown; as: string };
}

/** Runs the cases of one area of the interface with both constructors, in the same page. */
export const describeInterface = (area: string, cases: Record<string, Case>) => {
  test(`the differences of ${area} are in docs/DROP-IN.md`, () => {
    const text = readFileSync(at('docs/DROP-IN.md'), 'utf8');
    for (const { differs } of Object.values(cases)) if (differs) expect(text).toContain(`| ${differs.as} |`);
  });

  describeEngines(`${area} of the WebSocket interface`, (use) => {
    const run = async (name: 'WebSocket' | 'SharedWebSocket') => {
      const tab = first(await use.browser.openTabs(1, use.server.page()));
      await start(tab, name, cases, use.server.socket('/ws?mode=raw'));
      return await tab.waitFor('the end of all cases', () => window.cases, {
        until: ({ isOver }) => isOver,
        timeout: 60_000,
      });
    };

    /** The cases of which something else came than was expected. */
    const compare = ({ results }: Window['cases'], expected: (one: Case) => unknown) =>
      Object.entries(cases)
        .map(([name, one]) => ({ name, gave: results[name], expected: expected(one) }))
        .filter(({ gave, expected }) => !isDeepStrictEqual(gave, expected));

    test('the cases say what WebSocket does', async () => {
      const { engine } = use;
      const wrong = compare(await run('WebSocket'), ({ gives, native = {} }) =>
        engine in native ? native[engine] : gives,
      );
      expect(wrong).toEqual([]);
    });

    test('SharedWebSocket does the same, but for the differences', async () => {
      const wrong = compare(await run('SharedWebSocket'), ({ gives, differs }) => (differs ? differs.gives : gives));
      expect(wrong).toEqual([]);
    });
  });
};

declare global {
  interface Window {
    cases: { isOver: boolean; results: Record<string, unknown> };
  }
}

/** Starts the cases as a script of the page: what WebDriver runs has globals of its own in Firefox, and none of its errors is reported. */
const start = (tab: Tab, of: 'WebSocket' | 'SharedWebSocket', cases: Record<string, Case>, url: string) => {
  const runs = Object.entries(cases).map(([name, { run }]) => `[${JSON.stringify(name)}, ${run}]`);
  const code = `'use strict'; (${play})(${JSON.stringify(of)}, [${runs}], ${JSON.stringify(url)})`;
  return tab.run((code) => {
    const script = document.createElement('script');
    script.textContent = code;
    document.head.append(script);
  }, code);
};

/** Runs the cases, one after the other; in the page. */
const play = (name: 'WebSocket' | 'SharedWebSocket', cases: [name: string, run: Case['run']][], url: string) => {
  const Socket = (name === 'WebSocket' ? WebSocket : window.tabwire[name]) as typeof WebSocket;
  const made: WebSocket[] = [];
  const read = async (data: unknown) => {
    if (typeof data === 'string') return data;
    return [...new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : (data as ArrayBuffer))];
  };
  const kitFor = (number: number): Kit => {
    const kit: Kit = {
      Socket,
      url: `${url}&case=${number}`,
      make(protocols = []) {
        const socket = new Socket(kit.url, protocols);
        made.push(socket);
        return socket;
      },
      async open(protocols) {
        const socket = kit.make(protocols);
        await kit.next(socket, 'open');
        return socket;
      },
      next: (socket, type) =>
        new Promise((resolve) => socket.addEventListener(type, (event) => resolve(event as never), { once: true })),
      messages: (socket, count) =>
        new Promise((resolve) => {
          const got: unknown[] = [];
          socket.addEventListener('message', ({ data }) => {
            if (got.push(data) === count) resolve(Promise.all(got.map(read)));
          });
        }),
      thrown(what) {
        try {
          what();
          return 'nothing';
        } catch (error) {
          return (error as Error).name;
        }
      },
      order: async (control, body = {}) =>
        (await fetch(`/control/${control}`, { method: 'POST', body: JSON.stringify(body) })).json(),
    };
    return kit;
  };
  const all = async () => {
    for (const [index, [title, run]] of cases.entries()) {
      const late = new Promise((resolve) => setTimeout(resolve, 8000, 'took too long'));
      try {
        window.cases.results[title] = await Promise.race([run(kitFor(index)), late]);
      } catch (error) {
        window.cases.results[title] = `threw ${error}`;
      }
      for (const socket of made.splice(0)) socket.close();
    }
    window.cases.isOver = true;
  };
  window.cases = { isOver: false, results: {} };
  void all();
};
