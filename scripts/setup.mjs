import { argv, env } from 'node:process';
import { fileURLToPath } from 'node:url';
import { main, Stop, say } from './lib/say.mjs';
import { setUpBrowsers } from './setup/browsers.mjs';
import { setUpCargoTools } from './setup/cargo-tools.mjs';
import { setUpCompiler } from './setup/compiler.mjs';
import { setUpNpm } from './setup/npm.mjs';
import { checkPrograms, setUpRust } from './setup/programs.mjs';

/**
 * Makes everything present that a command needs, one printed line a step; quick when nothing changed.
 * Level `start` is what building and the demo need; `test` adds the browsers, their drivers, wasm-pack, a C++ compiler and TypeDoc.
 * @param {'start' | 'test'} level
 * @param {{ strict?: boolean }} [options] whether a missing browser is an error (default: with CI=true) and not a warning
 */
export async function setup(level, { strict = env.CI === 'true' } = {}) {
  /** @param {string} line */
  const step = (line) => say(`setup: ${line}`);
  await checkPrograms(step);
  await setUpNpm(level, step);
  await setUpRust(level, step);
  await setUpCargoTools(level, step);
  if (level === 'test') {
    await setUpCompiler(step);
    await setUpBrowsers(strict, step);
  }
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  main(async () => {
    const words = argv.slice(2);
    const strict = words.includes('--strict') || undefined;
    const level = words.find((word) => !word.startsWith('--')) ?? 'test';
    if (level !== 'start' && level !== 'test') throw new Stop(`setup takes 'start' or 'test', not '${level}'`);
    await setup(level, { strict });
  });
}
