import { readFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { must } from '../../scripts/lib/run.mjs';
import { openBrowser } from '../browser/harness/index.js';
import { type App, checkTypes, installApp } from './app.js';
import { pack } from './packed.js';
import { share } from './share.js';

let app: App;

beforeAll(async () => {
  app = await installApp({ app: ['page', 'plain', 'crate'], tools: {} }, await pack('crate'));
  return () => app.remove();
}, 120_000);

test('wasm-pack build makes a package of the crate whose exports load', async () => {
  const { main, types } = JSON.parse(readFileSync(`${await wasmPack('bundler')}/package.json`, 'utf8'));
  const glue = await import(pathToFileURL(at('target/wasm-pack/bundler', main.replace('.js', '_bg.js'))).href);
  const { instance } = await WebAssembly.instantiate(
    readFileSync(at('target/wasm-pack/bundler', main.replace('.js', '_bg.wasm'))),
    { [`./${main.replace('.js', '_bg.js')}`]: glue },
  );
  glue.__wbg_set_wasm(instance.exports);
  (instance.exports.__wbindgen_start as () => void)();
  expect(glue.Hub.start).toBeTypeOf('function');
  expect(readFileSync(at('target/wasm-pack/bundler', types), 'utf8')).toContain(
    'static start(env: HubEnv): Promise<Hub>',
  );
}, 300_000);

test('a worker script of one’s own hosts the hub of the package that wasm-pack makes for the web', async () => {
  await cp(await wasmPack('web'), join(app.folder, 'pkg'), { recursive: true });
  await checkTypes(app, 'tsconfig.worker.json');
  const browser = await openBrowser('chromium');
  try {
    await share(browser, [app.folder], undefined, ['auto']);
  } finally {
    await browser.close();
  }
}, 300_000);

/** Makes a package of the crate, as it is said in the documentation of wasm-pack, and resolves to its folder. */
async function wasmPack(target: 'bundler' | 'web'): Promise<string> {
  const folder = at('target/wasm-pack', target);
  await must('wasm-pack build failed: see its output above', 'wasm-pack', [
    'build',
    '--mode=no-install',
    `--target=${target}`,
    `--out-dir=${folder}`,
  ]);
  return folder;
}
