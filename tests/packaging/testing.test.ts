import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/run.mjs';

const program = `
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SharedWebSocket } from 'tabwire';
import { installTabwire } from 'tabwire/testing';

test('a unit test of somebody else', async () => {
  const { server, settled, restore } = installTabwire();
  const ws = new SharedWebSocket('wss://example.com/');
  const got = [];
  ws.onmessage = ({ data }) => got.push(data);
  ws.send('hello');
  assert.equal(await server.next(), 'hello');
  server.send('welcome');
  await settled();
  assert.deepEqual(got, ['welcome']);
  ws.close();
  await restore();
});
`;

test('tabwire/testing of the packed package works in Node alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tabwire-testing-'));
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder, 'unit.test.js'), program);
    await run('npm', ['pack', '--ignore-scripts', `--pack-destination=${folder}`], { cwd: at('.') });
    const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
    await run('npm', ['install', '--ignore-scripts', '--offline', '--no-package-lock', `./${tarball}`], {
      cwd: folder,
    });
    const { code, output } = await run('node', ['--test', 'unit.test.js'], { cwd: folder });
    expect(code, output).toBe(0);
    expect(output).toContain('pass 1');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
