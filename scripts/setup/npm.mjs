import { versions } from 'node:process';
import { must } from '../lib/run.mjs';
import { hashOf, isFresh, setFresh } from '../lib/stamp.mjs';

/**
 * Installs exactly what the lock files name, where one or Node's major version changed. Level `test` has a second one: TypeDoc needs
 * a TypeScript that is not the project's.
 * @param {'start' | 'test'} level @param {(line: string) => void} step
 */
export async function setUpNpm(level, step) {
  await install('npm', '.', step);
  if (level === 'test') await install('npm-api', 'scripts/api', step);
  step('npm packages are there');
}

/** @param {string} name @param {string} folder @param {(line: string) => void} step */
async function install(name, folder, step) {
  const key = hashOf([`${folder}/package-lock.json`, '.npmrc'], [`node ${Number.parseInt(versions.node, 10)}`]);
  if (isFresh(name, key, [`${folder}/node_modules/.package-lock.json`])) return;
  step(`npm packages: npm ci --prefix=${folder}`);
  await must('the npm packages could not be installed: see the output of npm ci above', 'npm', [
    'ci',
    '--ignore-scripts',
    `--prefix=${folder}`,
  ]);
  setFresh(name, key);
}
