import { expect, test } from 'vitest';
import { describeEngines } from './harness/index.js';
import { first, openListening } from './listening.js';

// What can be seen from within a page is in tests/browser/interface.
describeEngines('the WebSocket interface', (use) => {
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
});
