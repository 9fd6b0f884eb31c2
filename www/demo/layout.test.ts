import { expect, test } from 'vitest';
import { layOut } from './layout.js';

test('tabs never overlap and never leave the box', () => {
  for (let tabs = 1; tabs <= 40; tabs++) {
    const { tab, tabs: drawn, hidden } = layOut(560, 240, tabs, 1);
    expect(drawn.length + hidden).toBe(tabs);
    drawn.forEach(({ y }, index) => {
      expect(y - tab.height / 2).toBeGreaterThanOrEqual(0);
      expect(y + tab.height / 2).toBeLessThanOrEqual(240);
      if (index) expect(y - (drawn[index - 1]?.y ?? 0)).toBeGreaterThan(tab.height);
    });
  }
});

test('there is a wire for each connection, and one where there is none yet', () => {
  expect([0, 1, 2, 9].map((connections) => layOut(560, 240, 1, connections).wires.length)).toEqual([1, 1, 2, 5]);
});
