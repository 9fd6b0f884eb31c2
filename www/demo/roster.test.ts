import { expect, test } from 'vitest';
import { me } from './me.js';
import { nameOf, othersOf } from './roster.js';

test('the other tabs are told by their locks, each once, in an order that lasts', () => {
  const names = [
    nameOf({ tab: 'f001', symbols: ['B'] }),
    'tabwire@1:hub',
    nameOf({ tab: me, symbols: ['A'] }),
    nameOf({ tab: '00aa', symbols: [] }),
    nameOf({ tab: 'f001', symbols: ['A', 'B'] }),
  ];
  expect(othersOf(names)).toEqual([
    { tab: '00aa', symbols: [] },
    { tab: 'f001', symbols: ['A', 'B'] },
  ]);
});
