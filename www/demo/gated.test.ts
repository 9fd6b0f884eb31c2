import { expect, test } from 'vitest';
import { describeBreaker, describeOutcome } from './gated.js';

test('an open breaker counts down to the next call', () => {
  expect(describeBreaker({ state: 'open', retryAt: 5300 }, 2000)).toBe('no call is made for 3.3 s');
  expect(describeBreaker({ state: 'open', retryAt: 5300 }, 6000)).toBe('no call is made for 0.0 s');
});

test('a breaker without a time says what it waits for', () => {
  expect(describeBreaker({ state: 'half-open', retryAt: null }, 0)).toBe('the next call is a probe');
  expect(describeBreaker({ state: 'forced-open', retryAt: null }, 0)).toBe('no call is made until a reset');
});

test('a call that was answered, one that was refused and one that came to nothing are told apart', () => {
  expect(describeOutcome({ status: 200, ms: 12.4 })).toEqual(['200 after 12 ms', 'good']);
  expect(describeOutcome({ status: 503, ms: 9.6 })).toEqual(['503 after 10 ms', 'bad']);
  expect(describeOutcome({ refused: 'probing' })).toEqual(['not made: probing', 'warn']);
  expect(describeOutcome({ error: 'Failed to fetch' })).toEqual(['Failed to fetch', 'bad']);
});
