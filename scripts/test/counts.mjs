import { existsSync, readFileSync, rmSync } from 'node:fs';
import { findEngine } from '../lib/engines.mjs';
import { at } from '../lib/paths.mjs';
import { run } from '../lib/run.mjs';

/**
 * @typedef {import('../lib/engines.mjs').EngineName} EngineName
 * @typedef {{ passed: number, failed: number, note?: string }} Count
 */

/** Runs programs one after the other as one check: it counts as one. @param {[string, ...string[]][]} commands @returns {Promise<Count>} */
export async function check(...commands) {
  for (const [command, ...args] of commands) {
    const { code } = await run(command, args, { show: true });
    if (code !== 0) return { passed: 0, failed: 1 };
  }
  return { passed: 1, failed: 0 };
}

/** Runs a program that prints libtest's 'test result' lines, and adds them up. @param {string} command @param {string[]} args @param {Record<string, string>} [env] @returns {Promise<Count>} */
export async function rustTests(command, args, env = {}) {
  const { code, output } = await run(command, args, { show: true, env });
  const count = { passed: 0, failed: 0 };
  for (const [, passed, failed] of output.matchAll(/test result: .*? (\d+) passed; (\d+) failed/g)) {
    count.passed += Number(passed);
    count.failed += Number(failed);
  }
  return honest(count, code);
}

/** Runs one of Vitest's projects in those of the engines that are installed. @param {string} project @param {readonly EngineName[]} engines @returns {Promise<Count>} */
export async function vitest(project, engines) {
  const report = at('target/test-results', `${project}.json`);
  rmSync(report, { force: true });
  const reporters = ['--reporter=verbose', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await run('vitest', ['run', `--project=${project}`, ...reporters], {
    show: true,
    env: { TABWIRE_ENGINES: engines.join(',') },
  });
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  const { numPassedTests: passed = 0, numFailedTests: failed = 0, numPendingTests: skipped = 0 } = result;
  return { ...honest({ passed, failed }, code), note: skipped > 0 ? `, ${skipped} skipped` : '' };
}

/** Runs a suite in the engines that are installed, and says in which it was not run. @param {readonly EngineName[]} engines @param {(present: EngineName[]) => Promise<Count>} suite @returns {Promise<Count>} */
export async function inEngines(engines, suite) {
  const present = engines.filter((name) => findEngine(name).engine);
  const absent = engines.filter((name) => !present.includes(name));
  const count = present.length > 0 ? await suite(present) : { passed: 0, failed: 0 };
  if (absent.length === 0) return count;
  return { ...count, note: `${count.note ?? ''} (not run in ${absent.join(', ')}: not installed)` };
}

/** A program that failed without a failed test, such as one that does not compile, has failed all the same. @param {Count} count @param {number | null} code */
const honest = ({ passed, failed }, code) => ({ passed, failed: code === 0 ? failed : Math.max(failed, 1) });
