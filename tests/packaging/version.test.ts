import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';

test('crate and package have the same version', () => {
  const crate = readFileSync(at('Cargo.toml'), 'utf8').match(/^version = "(.+)"/m)?.[1];
  expect(JSON.parse(readFileSync(at('package.json'), 'utf8')).version).toBe(crate);
});
