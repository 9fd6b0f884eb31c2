import { expect, test } from 'vitest';
import { run } from '../../scripts/lib/run.mjs';

test('the API reference is made without a warning: what is exported has a comment, and what comments name is there', async () => {
  const { code, output } = await run('npm', ['run', 'docs:api']);
  expect(code, output).toBe(0);
}, 60_000);
