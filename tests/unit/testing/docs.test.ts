// @vitest-environment node
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { at } from '../../../scripts/lib/paths.mjs';

test('the example of docs/TESTING.md is the one that runs here', () => {
  const [, block] = readFileSync(at('docs/TESTING.md'), 'utf8').match(/```tsx\n(.*?)```/s) ?? [];
  expect(readFileSync(at('tests/unit/testing/example.test.tsx'), 'utf8')).toBe(block);
});
