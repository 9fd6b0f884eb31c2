import { versions } from 'node:process';
import { must } from '../lib/run.mjs';
import { hashOf, isFresh, setFresh } from '../lib/stamp.mjs';

/** Installs exactly what package-lock.json names, when it or Node's major version changed. @param {(line: string) => void} step */
export async function setUpNpm(step) {
  const key = hashOf(['package-lock.json', '.npmrc'], [`node ${Number.parseInt(versions.node, 10)}`]);
  if (!isFresh('npm', key, ['node_modules/.package-lock.json'])) {
    step('npm packages: npm ci');
    await must('the npm packages could not be installed: see the output of npm ci above', 'npm', [
      'ci',
      '--ignore-scripts',
    ]);
    setFresh('npm', key);
  }
  step('npm packages are there');
}
