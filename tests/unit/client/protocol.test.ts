import { expect, test } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { examples } from './fixtures.js';

const nameOf = (op: number) => Op[op]?.toLowerCase();

test.each(examples)('$name has the number of the fixtures', ({ name, wire, from }) => {
  expect(nameOf(wire[0])).toBe(name);
  expect(from).toBe(wire[0] < 64 ? 'tab' : 'hub');
});

test('every op has an example', () => {
  const ops = Object.values(Op).filter((value) => typeof value === 'number');
  expect(new Set(examples.map(({ wire }) => wire[0]))).toEqual(new Set(ops));
});
