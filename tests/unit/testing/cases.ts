import { SharedWebSocket } from 'tabwire';
import { installTabwire, type TestBrowser, type TestFrame } from 'tabwire/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

const url = 'wss://server.example/prices';

/** What `tabwire/testing` does in every environment. */
export const describeCases = (environment: string) => {
  let browser: TestBrowser;
  const open: SharedWebSocket[] = [];

  const openSocket = (...given: ConstructorParameters<typeof SharedWebSocket>) => {
    const socket = new SharedWebSocket(...given);
    open.push(socket);
    const events: string[] = [];
    for (const type of ['open', 'error', 'close', 'gap', 'sendfailed'] as const) {
      socket.addEventListener(type, (event) => events.push([type, (event as CloseEvent).code ?? []].flat().join(' ')));
    }
    socket.addEventListener('message', ({ data }) => events.push(`message ${data}`));
    return { socket, events };
  };

  const cases = (pass: (ms: number) => unknown) => {
    beforeEach(() => {
      browser = installTabwire();
    });
    afterEach(async () => {
      for (const socket of open.splice(0)) socket.close();
      await browser.restore();
    });

    test('sends what was queued, and hears what the server sends', async () => {
      const { socket, events } = openSocket(url, ['v2', 'v1']);
      socket.send('early');
      const connection = await browser.server.connection();
      expect([connection.url, connection.protocols, connection.protocol]).toEqual([url, ['v2', 'v1'], 'v2']);
      expect(await browser.server.next()).toBe('early');
      connection.send('a');
      connection.send('b');
      await browser.settled();
      expect(events).toEqual(['open', 'message a', 'message b']);
      expect(socket.status).toMatchObject({ state: 'open', host: 'shared-worker', transport: 'websocket' });
      expect(socket.protocol).toBe('v2');
    });

    test('carries binary, both ways', async () => {
      const { socket } = openSocket(url);
      const got: unknown[] = [];
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('message', ({ data }) => got.push(data));
      socket.send(new Uint8Array([9, 1, 2]).subarray(1));
      socket.send(new Blob(['blob']));
      const bytes = await browser.server.next();
      // In jsdom reading a Blob takes time.
      await pass(100);
      const blob = await browser.server.next();
      expect([...new Uint8Array(bytes as ArrayBuffer)]).toEqual([1, 2]);
      expect(new TextDecoder().decode(blob as ArrayBuffer)).toBe('blob');
      browser.server.send(new Uint8Array([3, 4]));
      await browser.settled();
      expect([...new Uint8Array(got[0] as ArrayBuffer)]).toEqual([3, 4]);
      expect(got[0]).toBeInstanceOf(ArrayBuffer);
    });

    test('ten tabs have one connection', async () => {
      const tabs = Array.from({ length: 10 }, () => browser.openTab());
      const got: string[] = [];
      tabs.forEach((tab, index) => {
        tab.socket(url).addEventListener('message', ({ data }) => got.push(`${index} ${data}`));
      });
      await browser.settled();
      browser.server.send('news');
      await browser.settled();
      expect(browser.server.requests).toBe(1);
      expect(got.sort()).toEqual(tabs.map((_, index) => `${index} news`));
      for (const tab of tabs) tab.close();
    });

    test('a server that closes for good ends the socket with its code', async () => {
      const { socket, events } = openSocket(url, [], { reconnect: { fatalCodes: [4000] } });
      await browser.settled();
      browser.server.close(4000, 'enough');
      await browser.settled();
      expect(events).toEqual(['open', 'close 4000']);
      expect(socket.readyState).toBe(3);
    });

    test('the code of the last close reaches the server', async () => {
      const { socket } = openSocket(url, [], { linger: 0 });
      const connection = await browser.server.connection();
      await browser.settled();
      socket.send('last words');
      socket.close(3001, 'bye');
      await browser.settled();
      await pass(1);
      expect(await connection.closed).toEqual({ code: 3001, reason: 'bye', wasClean: true });
      expect(connection.received).toEqual(['last words']);
    });

    test('topics are asked for once, and each tab gets its own', async () => {
      const { server } = browser;
      const orders: unknown[] = [];
      server.reply = (frame: TestFrame) => {
        const { type, id, topics } = JSON.parse(frame as string);
        if (type === 'ping') return '{"type":"pong"}';
        if (type !== 'subscribe') return undefined;
        orders.push(topics);
        return JSON.stringify({ type: 'answer', id, data: null });
      };
      const [one, two] = [browser.openTab(), browser.openTab()];
      const got: unknown[] = [];
      one.socket(url, [], { subprotocol: 'json' }).subscribe('btc', ({ data }) => got.push(['one', data]));
      two.socket(url, [], { subprotocol: 'json' }).subscribe('btc', ({ data }) => got.push(['two', data]));
      two.socket(url, [], { subprotocol: 'json' }).subscribe('eth', ({ data }) => got.push(['two', data]));
      await browser.settled();
      server.send(JSON.stringify({ type: 'message', topic: 'btc', data: 1 }));
      server.send(JSON.stringify({ type: 'message', topic: 'eth', data: 2 }));
      await browser.settled();
      expect(orders.flat().sort()).toEqual(['btc', 'eth']);
      expect(got).toHaveLength(3);
      expect(got).toEqual(
        expect.arrayContaining([
          ['one', 1],
          ['two', 1],
          ['two', 2],
        ]),
      );
      one.close();
      two.close();
    });
  };

  describe(`on real timers, in ${environment}`, () => cases(() => {}));

  describe(`on fake timers, in ${environment}`, () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });
    cases((ms) => vi.advanceTimersByTimeAsync(ms));

    test('a lost connection comes back when its time has come, and not before', async () => {
      const { socket, events } = openSocket(url);
      await browser.settled();
      browser.server.drop();
      await browser.settled();
      expect(events.splice(0)).toEqual(['open', 'close 1006', 'gap']);
      const { state, nextAttemptAt } = socket.status;
      expect(state).toBe('reconnecting');
      const wait = (nextAttemptAt ?? 0) - Date.now();
      await vi.advanceTimersByTimeAsync(wait - 1);
      expect(browser.server.requests).toBe(1);
      // The hub sees its clock in whole milliseconds.
      await vi.advanceTimersByTimeAsync(2);
      await browser.settled();
      expect(browser.server.requests).toBe(2);
      expect(events).toEqual(['open']);
    });

    test('refused and unanswered requests are tried again', async () => {
      const { server } = browser;
      server.upgrades = 'refuse';
      const { socket, events } = openSocket(url, [], { reconnect: { connectTimeout: 1000, jitter: 'none' } });
      await browser.settled();
      expect(events).toEqual(['error']);
      server.upgrades = 'hang';
      await vi.advanceTimersByTimeAsync(5000);
      expect(server.requests).toBeGreaterThan(2);
      server.upgrades = 'accept';
      await vi.advanceTimersByTimeAsync(60_000);
      expect(socket.status.state).toBe('open');
    });

    test('a request that hangs is answered by the test', async () => {
      const { server } = browser;
      server.upgrades = 'hang';
      const { socket } = openSocket(url, ['a', 'b']);
      const connection = await server.connection();
      expect(socket.readyState).toBe(0);
      connection.accept('b');
      await browser.settled();
      expect([socket.readyState, socket.protocol]).toEqual([1, 'b']);
    });

    test('a heartbeat that is not answered makes the hub open another connection', async () => {
      const { server } = browser;
      let answers = true;
      server.reply = (frame) => (frame === 'ping' && answers ? 'pong' : undefined);
      const { events } = openSocket(url, [], {
        heartbeat: { message: 'ping', pong: 'pong', interval: 1000, timeout: 500 },
      });
      await vi.advanceTimersByTimeAsync(10_000);
      expect([server.requests, events]).toEqual([1, ['open']]);
      answers = false;
      await vi.advanceTimersByTimeAsync(3000);
      answers = true;
      await vi.advanceTimersByTimeAsync(30_000);
      expect(server.requests).toBeGreaterThan(1);
      expect(events.slice(0, 3)).toEqual(['open', 'close 1006', 'gap']);
    });

    test('tabs come back to a fresh hub when theirs has crashed', async () => {
      const { socket, events } = openSocket(url);
      await browser.settled();
      const { epoch } = socket.status;
      const connection = await browser.server.connection();
      browser.crashHub();
      expect((await connection.closed).code).toBe(1006);
      await vi.advanceTimersByTimeAsync(0);
      await browser.settled();
      expect(events).toEqual(['open', 'gap', 'close 1006', 'open']);
      expect(socket.status.epoch).not.toBe(epoch);
      expect(browser.server.requests).toBe(2);
    });
  });
};
