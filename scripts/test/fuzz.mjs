import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { at } from '../lib/paths.mjs';
import { must, run } from '../lib/run.mjs';
import { say } from '../lib/say.mjs';

const targets = ['template', 'port'];

/** How long each target runs, in seconds. */
const time = 20;

const limits = ['-timeout=10', '-rss_limit_mb=1024', '-max_len=2048'];

/** What `cargo fuzz` sets as well, as far as it does not need a nightly compiler: counters on every edge, and what is compared. */
const flags = [
  '--cfg=fuzzing',
  '-Ccodegen-units=1',
  '-Cpasses=sancov-module',
  '-Cllvm-args=-sanitizer-coverage-level=4',
  '-Cllvm-args=-sanitizer-coverage-inline-8bit-counters',
  '-Cllvm-args=-sanitizer-coverage-pc-table',
  '-Cllvm-args=-sanitizer-coverage-trace-compares',
];

/** Builds the targets of tests/fuzz, and runs them beside each other: first on what has failed before, then on what libFuzzer makes up. */
export async function fuzz() {
  const folder = await build();
  const counts = await Promise.all(targets.map((name) => runTarget(name, `${folder}/${name}`)));
  return {
    passed: counts.reduce((sum, { passed }) => sum + passed, 0),
    failed: counts.reduce((sum, { failed }) => sum + failed, 0),
  };
}

/** Returns the folder of the programs. Only what is built for a named target gets the flags: build scripts run without them. */
async function build() {
  const host = (await must('rustc does not say what it builds for', 'rustc', ['--print=host-tuple'])).trim();
  await must(
    'the fuzz targets could not be built: see the output of cargo build above',
    'cargo',
    ['build', '--quiet', '--release', '--manifest-path=tests/fuzz/Cargo.toml', `--target=${host}`],
    { env: { CARGO_TARGET_DIR: at('target/fuzz'), RUSTFLAGS: flags.join(' ') }, show: true },
  );
  return at('target/fuzz', host, 'release');
}

/** @param {string} name @param {string} program */
async function runTarget(name, program) {
  const [finds, crashes] = [at('target/fuzz/finds', name), at('target/fuzz/crashes')];
  for (const folder of [finds, crashes]) mkdirSync(folder, { recursive: true });
  const failedBefore = await runAgain(name, program);
  const args = [finds, at('tests/fuzz/corpus', name), ...limits, `-max_total_time=${time}`, '-print_final_stats=1'];
  const { code, output } = await run(program, [...args, `-artifact_prefix=${crashes}/${name}-`]);
  const coverage = [...output.matchAll(/^#\d+\s.* cov: (\d+) .*corp: (\d+)/gm)];
  const [first, last] = [coverage.at(0), coverage.at(-1)];
  const runs = stat(output, 'number_of_executed_units');
  say(
    `${name}: ${runs} executions, ${stat(output, 'average_exec_per_sec')} a second; ` +
      `coverage ${last?.[1] ?? 0}, at first ${first?.[1] ?? 0}; ${last?.[2] ?? 0} inputs`,
  );
  const failed = code !== 0 || !last;
  if (failed) tell(program, output);
  return { passed: Number(!failed) + Number(!failedBefore), failed: Number(failed) + Number(failedBefore) };
}

/** Runs a target on each input that has failed before. Returns whether one does again. @param {string} name @param {string} program */
async function runAgain(name, program) {
  const folder = at('tests/fuzz/regressions', name);
  const files = existsSync(folder) ? readdirSync(folder).map((file) => `${folder}/${file}`) : [];
  for (const file of files) {
    const { code, output } = await run(program, [...limits, file]);
    if (code === 0) continue;
    tell(program, output, file);
    return true;
  }
  return false;
}

/** Shows what a target said when it failed, and how to see that again. @param {string} program @param {string} output @param {string} [file] */
function tell(program, output, file = output.match(/Test unit written to (.+)/)?.[1]) {
  const lines = output.split('\n').filter((line) => !/^#\d+\s|^\s*NEW_FUNC|^INFO:|# Uses: \d+$/.test(line));
  process.stderr.write(`${lines.join('\n')}\n`);
  if (file) say(`again: ${program} ${file}`);
}

/** @param {string} output @param {string} name */
const stat = (output, name) => Number(output.match(new RegExp(`stat::${name}:\\s+(\\d+)`))?.[1] ?? 0);
