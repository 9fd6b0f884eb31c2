import { expect, test } from 'vitest';
import { countAsked } from './asked.js';

test('a topic counts once for each connection that has asked for it', () => {
  const connections = [{ topics: ['a', 'b'] }, { topics: ['b'] }];
  expect(countAsked({ connections, counts: { duplicates: 2 } })).toEqual({ topics: { a: 1, b: 2 }, duplicates: 2 });
});
