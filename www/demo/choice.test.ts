import { expect, test } from 'vitest';
import { choiceOf, hashOf, readChoice } from './choice.js';

const symbols = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'];

test('a choice is read back from the address that it was written to', () => {
  for (const choice of [['A'], ['B', 'H'], symbols, []]) expect(readChoice(hashOf(choice), symbols)).toEqual(choice);
});

test('an address without a choice has that of the first tab, and unknown symbols are none', () => {
  expect(readChoice('', symbols)).toEqual(['A', 'B', 'C']);
  expect(readChoice('#', symbols)).toEqual(['A', 'B', 'C']);
  expect(readChoice('#H,nothing,B', symbols)).toEqual(['B', 'H']);
});

test('neighbours have something in common, and four tabs want everything between them', () => {
  const tabs = [0, 1, 2, 3].map((number) => choiceOf(number, symbols));
  expect(tabs).toEqual([
    ['A', 'B', 'C'],
    ['C', 'D', 'E'],
    ['E', 'F', 'G'],
    ['A', 'G', 'H'],
  ]);
  expect(choiceOf(41, symbols)).toEqual(choiceOf(1, symbols));
  expect(choiceOf(3, [])).toEqual([]);
});
