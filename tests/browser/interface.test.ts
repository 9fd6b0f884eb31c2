import { expect, test } from 'vitest';
import { describeEngines, type Tab } from './harness/index.js';
import { first, openListening } from './listening.js';

/** What a piece of code throws with each of the two constructors: [WebSocket's, ours]. */
function thrown(tab: Tab, body: string, url: string) {
  return tab.run(
    (body, url) => {
      const attempt = (Socket: unknown) => {
        try {
          new Function('Socket', 'url', body)(Socket, url);
          return 'nothing';
        } catch (error) {
          return `${(error as object).constructor.name} ${(error as Error).name}`;
        }
      };
      return [attempt(WebSocket), attempt(window.tabwire.SharedWebSocket)] as const;
    },
    body,
    url,
  );
}

describeEngines('the WebSocket interface', (use) => {
  test('throws what WebSocket throws', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    for (const body of [
      "new Socket('no url at all: %')",
      "new Socket('ftp://server/')",
      "new Socket('mailto:someone')",
      "new Socket(url + '#fragment')",
      "new Socket(url, 'two words')",
      "new Socket(url, ['same', 'same'])",
      "new Socket(url, ['', 'empty'])",
      'new Socket()',
      "new Socket(url, ['fine', 'too']).close(999)",
      'new Socket(url).close(1001)',
      'new Socket(url).close(5000)',
      "new Socket(url).close(1000, 'x'.repeat(124))",
      "new Socket(url).close(3000, 'ü'.repeat(62))",
      'new Socket(url).close()',
      "new Socket(url).close(4999, 'fine')",
      'Socket(url)',
    ]) {
      const [native, ours] = await thrown(tab, body, use.server.socket());
      expect(ours, body).toBe(native);
      if (/fragment|words|same|close\((999|1001|5000)|repeat/.test(body)) expect(native, body).not.toBe('nothing');
    }
  });

  test('has the same constants, attributes and methods', async () => {
    const tab = first(await openListening(use, 1));
    const [native, ours] = await tab.run((url) => {
      const describe = (Socket: { prototype: object } & Record<string, unknown>, instance: Record<string, unknown>) => {
        const known = Object.getOwnPropertyNames(WebSocket.prototype)
          .filter((name) => name !== 'constructor')
          .sort();
        return known.map((name) => [
          name,
          name in instance,
          typeof Object.getOwnPropertyDescriptor(Socket.prototype, name)?.get,
          /^[A-Z]/.test(name) ? [Socket[name], instance[name]] : typeof instance[name],
        ]);
      };
      const native = new WebSocket(url);
      const result = [
        describe(WebSocket as never, native as never),
        describe(window.tabwire.SharedWebSocket as never, window.socket() as never),
      ] as const;
      native.close();
      return result;
    }, use.server.socket());
    expect(ours).toEqual(native);
  });

  test('resolves urls as WebSocket does', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    const pairs = await tab.run(() =>
      ['ws://server', '/path', 'relative?a=b', 'http://server/x', 'https://server', 'WS://SERVER:80/a/../b'].map(
        (url) => {
          const native = new WebSocket(url);
          const ours = new window.tabwire.SharedWebSocket(url);
          const pair = [native.url, ours.url];
          native.close();
          ours.close();
          return pair;
        },
      ),
    );
    for (const [native, ours] of pairs) expect(ours).toBe(native);
  });

  test('queues before open, and discards after close', async () => {
    const tab = first(await use.browser.openTabs(1, use.server.page()));
    await tab.run((url) => {
      window.listen(url);
      window.socket().send('early');
    }, use.server.socket());
    await tab.waitFor('the echo', () => window.probe().texts[0] === 'early');
    await tab.run(() => {
      window.socket().close(3001, 'done');
      window.socket().send('late');
    });
    const { events } = await tab.waitFor('the end', () => window.probe(), {
      until: ({ events }) => events.length === 2,
    });
    expect(events[1]).toEqual({ type: 'close', code: 3001, reason: 'done', wasClean: true, readyState: 3 });
    const { closes, received } = await use.server.control.wait({ live: 0 });
    expect(received).toBe(1);
    expect(closes[0]).toMatchObject({ code: 3001, reason: 'done' });
  });

  test('delivers binary as the type asked for, with the origin of the socket', async () => {
    const tab = first(await openListening(use, 1));
    const seen = await tab.run(
      () =>
        new Promise<unknown[]>((resolve) => {
          const ws = window.socket();
          const seen: unknown[] = [];
          ws.addEventListener('message', async ({ data, origin }) => {
            const kind = Object.prototype.toString.call(data);
            seen.push(kind, origin);
            ws.binaryType = 'arraybuffer';
            if (seen.length < 4) ws.send(new Uint8Array([1, 2]));
            else resolve(seen);
          });
          ws.send(new Uint8Array([1, 2]));
        }),
    );
    const origin = use.server.socket('');
    expect(seen).toEqual(['[object Blob]', origin, '[object ArrayBuffer]', origin]);
  });

  test('a listener that throws is reported and stops nobody', async () => {
    const tab = first(await openListening(use, 1));
    await tab.run(() => {
      Object.assign(window, { reported: [] });
      window.addEventListener('error', ({ message }) => {
        (window as unknown as { reported: string[] }).reported.push(message);
      });
      window.socket().onmessage = () => {
        throw new Error('listener');
      };
    });
    await use.server.control.flood({ count: 50 });
    await tab.waitFor('50 messages', () => window.probe().got === 50);
    const reported = await tab.run(() => (window as unknown as { reported: string[] }).reported);
    expect(reported).toHaveLength(50);
  });
});
