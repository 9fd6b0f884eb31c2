import { describe, expect, test } from 'vitest';
import { checkHubOptions, checkSocketOptions, type SocketOptions } from '../../../www/client/options.js';
import { optionCases } from './fixtures.js';

const errorOf = (options: object) => {
  try {
    checkSocketOptions(options as SocketOptions);
  } catch (error) {
    return error as Error;
  }
  return undefined;
};

describe('options', () => {
  test.each(optionCases.filter(({ rustOnly }) => !rustOnly))('$options: $error', ({ options, error }) => {
    const thrown = errorOf(options);
    expect(thrown?.message.split(': ')[0] ?? null).toBe(error);
  });

  test.each([
    [{ reconnect: { jitter: 'foo' } }, RangeError, 'reconnect.jitter: "foo"'],
    [{ reconnect: { minDelay: Number.NaN } }, RangeError, 'reconnect.minDelay: NaN'],
    [{ reconnect: { minDelay: Number.POSITIVE_INFINITY } }, RangeError, 'reconnect.minDelay: Infinity'],
    [{ reconnect: { maxAttempts: Number.NaN } }, RangeError, 'reconnect.maxAttempts: NaN'],
    [{ heartbeat: { message: 5 } }, TypeError, 'heartbeat.message: 5'],
    [{ queue: null }, TypeError, 'queue: null'],
    [{ queue: 'small' }, TypeError, 'queue: "small"'],
    [{ flow: { window: 5 } }, TypeError, 'flow.window: 5'],
    [{ host: { workerUrl: 5 } }, TypeError, 'host.workerUrl: 5'],
    [{ host: { use: 'other-tab' } }, RangeError, 'host.use: "other-tab"'],
    [{ linger: 5n }, TypeError, 'linger: 5'],
    [{ liveness: '' }, RangeError, 'liveness: ""'],
    [{ reconect: {} }, TypeError, 'reconect: [object Object]'],
    [{ staleness: { staleAfter: 0 } }, RangeError, 'staleness.staleAfter: 0'],
    [{ staleness: { checkEvery: 0 } }, RangeError, 'staleness.checkEvery: 0'],
    [{ staleness: { maxAge: Number.POSITIVE_INFINITY } }, RangeError, 'staleness.maxAge: Infinity'],
    [{ recovery: { failureThreshold: 0 } }, RangeError, 'recovery.failureThreshold: 0'],
    [{ recovery: { openFor: '1s' } }, TypeError, 'recovery.openFor: "1s"'],
    [{ auth: { via: 'header' } }, RangeError, 'auth.via: "header"'],
    [{ auth: { param: 5 } }, TypeError, 'auth.param: 5'],
    [{ auth: { refreshBefore: -1 } }, RangeError, 'auth.refreshBefore: -1'],
    [{ auth: { refusedCodes: [99] } }, RangeError, 'auth.refusedCodes: 99'],
  ])('%o throws a named error that tells the value', (options, kind, message) => {
    const thrown = errorOf(options);
    expect(thrown).toBeInstanceOf(kind);
    expect(thrown?.message).toBe(message);
  });

  test('what names a property of every object is unknown all the same', () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      for (const value of [true, {}, 5, 'text']) expect(errorOf({ [name]: value })).toBeInstanceOf(TypeError);
    }
  });

  test('a token in the place of the function that gives it is not told', () => {
    const thrown = errorOf({ auth: { token: 'secret' } });
    expect(thrown).toEqual(new TypeError('auth.token: string'));
    expect(errorOf({ auth: { token: null } })).toBeInstanceOf(TypeError);
  });

  test('a connection may be replaced, paused and authorised as it is asked for', () => {
    const options = {
      staleness: { staleAfter: 1, checkEvery: 1, maxAge: 1 },
      recovery: { failureThreshold: 1, openFor: 0 },
      auth: { token: () => 'x', via: 'subprotocol', param: 'token', refreshBefore: 0, refusedCodes: [4999] },
    } as const;
    expect(errorOf(options)).toBeUndefined();
  });

  test('only the numbers of attempts may be infinite', () => {
    expect(errorOf({ reconnect: { maxAttempts: Number.POSITIVE_INFINITY } })).toBeUndefined();
    expect(errorOf({ recovery: { failureThreshold: Number.POSITIVE_INFINITY } })).toBeUndefined();
  });

  test('are copied, without what is undefined', () => {
    const options = { linger: undefined, queue: { ttl: 5, maxBytes: undefined }, key: 'ada' };
    const checked = checkSocketOptions(options as unknown as SocketOptions);
    expect(checked).toEqual({ queue: { ttl: 5 }, key: 'ada' });
    expect(Object.keys(checked.queue as object)).toEqual(['ttl']);
    expect(checked.queue).not.toBe(options.queue);
  });

  test('keep urls whole', () => {
    const workerUrl = new URL('https://app.example/worker.js');
    expect(checkSocketOptions({ host: { workerUrl } }).host?.workerUrl).toBe(workerUrl);
  });
});

test('a hub client takes host, liveness and name, and nothing else', () => {
  expect(checkHubOptions({ name: 'mine', liveness: 'locks', host: { use: 'auto' } })).toEqual({
    name: 'mine',
    liveness: 'locks',
    host: { use: 'auto' },
  });
  expect(() => checkHubOptions({ linger: 5 } as never)).toThrow(new TypeError('linger: 5'));
  expect(() => checkSocketOptions({ name: 'mine' } as never)).toThrow(new TypeError('name: "mine"'));
});
