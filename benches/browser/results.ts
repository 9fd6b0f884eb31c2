import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { engineNames } from '../../scripts/lib/engines.mjs';
import { at } from '../../scripts/lib/paths.mjs';
import type { EngineName } from '../../tests/browser/harness/index.js';
import { type Measured, page, type Run, tables } from './report.js';

/** Prints an engine's run, keeps it in benches/results, and writes the report on the last run of each engine. */
export function writeResults(name: EngineName, version: string, measured: readonly Measured[]): void {
  const run: Run = {
    engine: `${titles[name]} ${version}`,
    machine: describeMachine(),
    date: new Date().toISOString().slice(0, 10),
    measured,
  };
  mkdirSync(at('benches/results'), { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(run, rounded, 2)}\n`);
  const runs = engineNames.map(fileOf).filter((file) => existsSync(file));
  writeFileSync(at('benches/results/README.md'), page(runs.map((file): Run => JSON.parse(readFileSync(file, 'utf8')))));
  process.stdout.write(`\n${run.engine}\n\n${tables(run)}\n`);
}

const fileOf = (name: EngineName) => at(`benches/results/${name}.json`);

const titles: Record<EngineName, string> = { chromium: 'Chromium', firefox: 'Firefox', webkit: 'WebKitGTK' };

function describeMachine(): string {
  const all = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${all.length} cores of ${all[0]?.model.trim()}, ${memory} GiB, ${process.platform} ${release()}`;
}

/** Numbers have as many digits as they mean something. */
const rounded = (_key: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
