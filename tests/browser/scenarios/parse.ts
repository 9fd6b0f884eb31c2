import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type EngineName, engineNames } from '../../../scripts/lib/engines.mjs';
import { at } from '../../../scripts/lib/paths.mjs';

/** Where a scenario's hub runs. */
export type HostName = 'shared-worker' | 'leader-tab' | 'this-tab';

/** One line of a scenario. */
export interface Step {
  /** As it stands in the file, for errors: `tab-cached.txt:7: cache b`. */
  readonly text: string;
  readonly verb: string;
  readonly words: readonly string[];
}

/** A file of tests/scenarios, which the simulator runs as well. */
export interface Scenario {
  readonly name: string;
  /** The first comment. */
  readonly title: string;
  readonly engines: readonly string[];
  readonly hosts: readonly HostName[];
  /** Why an engine cannot be made to show it. */
  readonly simulatedOnly: ReadonlyMap<string, string>;
  readonly steps: readonly Step[];
}

/** All scenarios, in the order of their names. */
export function readScenarios(): Scenario[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .map((name) => parse(name, readFileSync(`${folder}/${name}`, 'utf8')));
}

function parse(file: string, text: string): Scenario {
  const lines = text.split('\n').map((line, index) => ({ line: line.trim(), where: `${file}:${index + 1}` }));
  const simulatedOnly = new Map<string, string>();
  const header = { engines: [...engineNames] as string[], hosts: ['shared-worker'] as string[] };
  const steps: Step[] = [];
  for (const { line, where } of lines) {
    if (!line || line.startsWith('#')) continue;
    const named = /^(engines|hosts|simulated-only (\S+)): (.*)$/.exec(line);
    if (!named) steps.push(stepOf(line, where));
    else if (named[2]) simulatedOnly.set(named[2], named[3] ?? '');
    else header[named[1] as keyof typeof header] = (named[3] ?? '').split(' ');
  }
  return {
    name: basename(file, '.txt'),
    title: lines[0]?.line.replace(/^#\s*/, '') ?? file,
    engines: header.engines,
    hosts: header.hosts as HostName[],
    simulatedOnly,
    steps,
  };
}

function stepOf(line: string, where: string): Step {
  const [verb = '', ...words] = line.startsWith('options ') ? ['options', line.slice(8)] : line.split(/\s+/);
  return { text: `${where}: ${line}`, verb, words };
}

/** Whether this engine can be made to show it. */
export const runsIn = (scenario: Scenario, engine: EngineName) =>
  scenario.engines.includes(engine) && !scenario.simulatedOnly.has(engine);

const folder = at('tests/scenarios');
