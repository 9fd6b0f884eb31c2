import { copyFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { at } from '../lib/paths.mjs';
import { main, Stop, say } from '../lib/say.mjs';
import { buildVariant } from './bundles.mjs';

/**
 * Builds the page side and the worker a second time, as another version and into another folder: what tests of two builds in
 * one browser need. The wasm is that of dist. Skips what did not change.
 * @param {string} version a version without a build, such as `9.9.9` @param {string} folder relative to the root
 */
export async function makeVariant(version, folder) {
  await buildVariant((line) => say(`build: ${line}`), folder, version);
  copyFileSync(at('dist/hub.wasm'), at(folder, 'hub.wasm'));
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  main(async () => {
    const [version, folder] = argv.slice(2);
    if (!version || !folder) throw new Stop('usage: node scripts/build/variant.mjs <version> <folder>');
    await makeVariant(version, folder);
  });
}
