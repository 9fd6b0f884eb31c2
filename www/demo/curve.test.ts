import { expect, test } from 'vitest';
import { curve } from './curve.js';

test('a curve fills its box from the lowest value to the highest', () => {
  expect(curve([3, 5, 4], 10, 20)).toBe('0.0,20.0 5.0,0.0 10.0,10.0');
});

test('a curve with a floor does not make much of little', () => {
  expect(curve([0, 1], 10, 20, 0, 4)).toBe('0.0,20.0 10.0,15.0');
});

test('values that do not move, one value and none are curves too', () => {
  expect(curve([7, 7], 10, 20)).toBe('0.0,20.0 10.0,20.0');
  expect(curve([7], 10, 20)).toBe('0.0,20.0');
  expect(curve([], 10, 20)).toBe('');
});
