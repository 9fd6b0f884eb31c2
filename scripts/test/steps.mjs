import { readFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { at } from '../lib/paths.mjs';
import { check, inEngines, rustTests, vitest } from './counts.mjs';
import { fuzz } from './fuzz.mjs';
import { wasmTests } from './wasm.mjs';

/**
 * @typedef {object} Step
 * @property {string} name the word that names it on the command line
 * @property {string} what
 * @property {(engines: readonly import('../lib/engines.mjs').EngineName[]) => Promise<import('./counts.mjs').Count>} run
 * @property {string[]} [needs] the steps that must have been run before
 * @property {boolean} [inEngines] whether it is run when only engines are named
 * @property {boolean} [onlyWhenNamed]
 */

/** @type {Step[]} */
const all = [
  {
    name: 'format',
    what: 'rustfmt',
    run: () => check(['cargo', 'fmt', '--all', '--check'], ['cargo', 'fmt', fuzzPackage, '--check']),
  },
  {
    name: 'lint',
    what: 'Biome (formatting too), clippy and rustdoc for the machine and for wasm',
    run: () =>
      check(
        ['biome', 'check', '--error-on-warnings'],
        ['cargo', 'clippy', '--quiet', '--workspace', '--all-targets', '--', '-Dwarnings'],
        // What is not run by `cargo test` alone is no target of all.
        ['cargo', 'clippy', '--quiet', '--package=tabwire', '--test=sim', '--', '-Dwarnings'],
        ['cargo', 'clippy', '--quiet', '--package=tabwire', '--lib', `--target=${wasmTarget}`, '--', '-Dwarnings'],
        ['cargo', 'clippy', '--quiet', fuzzPackage, '--target-dir=target/fuzz', '--', '-Dwarnings'],
        ['cargo', 'doc', '--quiet', '--no-deps', '--workspace', noDocWarnings],
        ['cargo', 'doc', '--quiet', '--no-deps', '--package=tabwire', `--target=${wasmTarget}`, noDocWarnings],
      ),
  },
  {
    name: 'build',
    what: 'dist and its budgets',
    run: () => check([execPath, 'scripts/build.mjs']),
  },
  {
    name: 'types',
    what: 'tsc over pages, worker, tests and scripts',
    needs: ['build'],
    run: () => check(...['tsconfig.json', 'tsconfig.worker.json', 'tsconfig.tests.json'].map(project)),
  },
  {
    name: 'rust',
    what: 'cargo test of hub and server',
    run: () => rustTests('cargo', ['test', '--quiet', '--workspace']),
  },
  {
    name: 'sim',
    what: 'the simulation, optimised: 10 000 worlds of 10 virtual minutes and more, 5000 with topics, 3000 in which a page leads, and 10 000 of breakers',
    run: () =>
      rustTests('cargo', ['test', '--quiet', '--package=tabwire', '--profile=sim', '--test=sim', '--', '--nocapture'], {
        TABWIRE_WORLDS: '10000',
        TABWIRE_LED: '3000',
        TABWIRE_ROWS: at('target/reliability'),
      }),
  },
  {
    name: 'fuzz',
    what: 'coverage-guided fuzzing of templates and of what is posted, 20 s each',
    run: fuzz,
  },
  {
    name: 'unit',
    what: 'page side and worker, Vitest',
    needs: ['build'],
    run: () => vitest('unit', []),
  },
  {
    name: 'react-18',
    what: 'the React adapter with React 18, Vitest',
    needs: ['build'],
    run: () => vitest('react-18', []),
  },
  {
    name: 'docs',
    what: 'every block of README and guides compiled or looked up, links, names of files and tests',
    needs: ['build'],
    run: () => vitest('docs', []),
  },
  {
    name: 'wasm',
    what: 'the hub in a SharedWorker of each engine, wasm-pack',
    inEngines: true,
    run: (engines) => inEngines(engines, wasmTests),
  },
  {
    name: 'server',
    what: 'the demo and fault server, built for the suites below',
    run: () => check(['cargo', 'build', '--quiet', '--release', '--package=tabwire-server']),
  },
  {
    name: 'browser',
    what: 'many real tabs in each engine',
    needs: ['build', 'server'],
    inEngines: true,
    run: (engines) => inEngines(engines, (present) => vitest('browser', present)),
  },
  {
    name: 'faults',
    what: 'what happens in each engine when something fails',
    needs: ['build', 'server'],
    inEngines: true,
    run: (engines) => inEngines(engines, (present) => vitest('faults', present)),
  },
  {
    name: 'packaging',
    what: 'what npm pack gives: publint, attw, and apps of Vite 8, webpack and no bundler; `npm run matrix` has the others',
    needs: ['build', 'server'],
    run: () => inEngines(['chromium'], (present) => vitest('packaging', present)),
  },
  {
    name: 'bench',
    what: 'the benchmarks',
    needs: ['build', 'server'],
    onlyWhenNamed: true,
    run: (engines) => inEngines(engines, (present) => vitest('bench', present)),
  },
];

/** Everything that `npm test` runs, quick and native things first; the simulation once Cargo.toml has a profile for it. */
export const steps = all.filter(
  ({ name }) => name !== 'sim' || readFileSync(at('Cargo.toml'), 'utf8').includes('[profile.sim]'),
);

const wasmTarget = 'wasm32-unknown-unknown';

const noDocWarnings = '--config=build.rustdocflags=["-Dwarnings"]';

/** A workspace of its own. */
const fuzzPackage = '--manifest-path=tests/fuzz/Cargo.toml';

/** @param {string} file @returns {[string, ...string[]]} */
function project(file) {
  return ['tsc', '--project', file];
}
