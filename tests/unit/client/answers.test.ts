import { createHub, type SocketOptions, type UrlFunction } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { answer } from '../../../www/client/answers.js';
import { type Need, Op } from '../../../www/client/protocol.js';
import { installFakes, settle, workers } from './fakes.js';

beforeEach(async () => {
  await installFakes();
  vi.setSystemTime(1_700_000_000_000);
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Opens a socket with these functions at a hub that is up and asks for what it needs. */
const start = async (auth: SocketOptions['auth'], url: string | UrlFunction = 'wss://server.example/ws') => {
  const socket = createHub().socket(url, [], { key: 'ada', ...(auth && { auth }) });
  const port = workers.latest;
  port.welcome();
  await settle();
  port.take();
  const ask = async (id: number, kind: Need, handle = port.handle) => {
    port.say(Op.Need, handle, id, kind);
    await settle();
    return port.all(Op.Answer);
  };
  return { socket, port, ask };
};

const jwt = (claims: object) => `head.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.signature`;

describe('a token that is needed', () => {
  test.each([
    ['abc', { token: 'abc', expiresIn: null }],
    [{ token: 'abc' }, { token: 'abc', expiresIn: null }],
    [
      { token: 'abc', expiresAt: 1_700_000_060_000 },
      { token: 'abc', expiresIn: 60_000 },
    ],
    [
      { token: 'abc', expiresAt: 1_699_999_999_000 },
      { token: 'abc', expiresIn: -1000 },
    ],
  ])('given as %o is answered with %o', async (given, told) => {
    const { ask } = await start({ token: () => given });
    expect(await ask(5, 'token')).toEqual([[Op.Answer, 5, told]]);
  });

  test.each([
    [jwt({ exp: 1_700_000_600 }), 600_000],
    [jwt({ exp: 1_700_000_600.5, name: '\xff\xfe?>' }), 600_500],
    [jwt({}), null],
    [jwt({ exp: 'soon' }), null],
    ['a.!.c', null],
    ['a.b', null],
  ])('that is %s expires in %s ms', async (token, expiresIn) => {
    expect(await answer('token', () => token)).toEqual({ token, expiresIn });
  });

  test('and says itself when it expires is believed before its claim', async () => {
    const token = jwt({ exp: 1_700_000_600 });
    const given = { token, expiresAt: 1_700_000_001_000 };
    expect(await answer('token', () => given)).toEqual({ token, expiresIn: 1000 });
  });

  test.each([
    undefined,
    null,
    '',
    5,
    {},
    { token: 5 },
    { token: '' },
    { token: 'abc', expiresAt: 'soon' },
    { token: 'abc', expiresAt: Number.NaN },
  ])('given as %o is bad', async (given) => {
    const { ask } = await start({ token: () => given as string });
    expect(await ask(5, 'token')).toEqual([[Op.Answer, 5, { error: 'bad-token' }]]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
  ])('of a function that %s has failed, without a word of what was thrown', async (_, token) => {
    const log = vi.spyOn(console, 'error');
    const { ask, socket } = await start({ token });
    expect(await ask(5, 'token')).toEqual([[Op.Answer, 5, { error: 'failed' }]]);
    expect(log).not.toHaveBeenCalled();
    expect(JSON.stringify(socket.status)).not.toContain('secret');
  });

  test('by another handle is not asked for here', async () => {
    const token = vi.fn(() => 'abc');
    const { ask, port } = await start({ token });
    expect(await ask(5, 'token', port.handle + 1)).toEqual([]);
    expect(token).not.toHaveBeenCalled();
  });

  test('comes too late for a hub that has asked nothing', async () => {
    let give = (_: string) => {};
    const { ask, port } = await start({
      token: () =>
        new Promise((resolve) => {
          give = resolve;
        }),
    });
    await ask(5, 'token');
    port.welcome('two');
    give('abc');
    await settle();
    expect(port.all(Op.Answer)).toEqual([]);
  });
});

describe('a url that is needed', () => {
  test.each([
    ['https://server.example/ws?a=b', 'wss://server.example/ws?a=b'],
    ['/ws', 'ws://localhost:3000/ws'],
    [new URL('wss://server.example'), 'wss://server.example/'],
    [Promise.resolve('wss://server.example/late'), 'wss://server.example/late'],
  ])('given as %s is answered as the constructor reads it', async (given, url) => {
    const { ask } = await start(undefined, () => given);
    expect(await ask(9, 'url')).toEqual([[Op.Answer, 9, { url }]]);
  });

  test.each([undefined, null, 5, {}, 'ftp://server.example', 'wss://server.example/#a'])(
    'given as %o is bad',
    async (given) => {
      const { ask } = await start(undefined, () => given as string);
      expect(await ask(9, 'url')).toEqual([[Op.Answer, 9, { error: 'bad-url' }]]);
    },
  );
});
