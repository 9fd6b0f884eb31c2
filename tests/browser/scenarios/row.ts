import { mkdirSync, writeFileSync } from 'node:fs';
import { at } from '../../../scripts/lib/paths.mjs';
import type { Losses } from './audit.js';
import type { Stage } from './stage.js';

/** A cell of the table of docs/RELIABILITY.md, which `node scripts/reliability.mjs` makes. */
export interface Row extends Losses {
  readonly scenario: string;
  readonly title: string;
  /** `simulation` for the simulator's. */
  readonly engine: string;
  readonly host: string;
  /** What a tab showed from the first fault on, each state and reason once. */
  readonly sees: readonly string[];
  /** From the fault, or its end if it took its time, until every tab was open again, in ms; null if none was ever not. */
  readonly recoverMs: number | null;
  /** Messages that came twice. */
  readonly duplicated: number;
  /** Whether everything lost was told of by an event. */
  readonly reported: boolean;
}

/** Keeps a row for the table. */
export function writeRow(row: Row): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/${row.scenario}.${row.engine}.${row.host}.json`, `${JSON.stringify(row, null, 2)}\n`);
}

/** What the tabs have shown since the first fault: of the tab that has shown most. */
export async function seenBy(stage: Stage): Promise<string[]> {
  const shown = await Promise.all([...stage.players.values()].map((player) => player.shown()));
  return shown.reduce((most, shown) => (shown.length > most.length ? shown : most), []);
}

const folder = at('target/reliability');
