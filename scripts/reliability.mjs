import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { engineNames } from './lib/engines.mjs';
import { writeBetween } from './lib/marks.mjs';
import { at } from './lib/paths.mjs';
import { main, Stop, say } from './lib/say.mjs';

const folder = at('target/reliability');
const document = at('docs/RELIABILITY.md');
const columns = [...engineNames, 'simulation'];
const head = [
  '| fault | host | a tab shows | Chromium | Firefox | WebKitGTK | simulated |',
  '| --- | --- | --- | --- | --- | --- | --- |',
];

/**
 * @typedef {object} Row as tests/browser/scenarios/row.ts describes it
 * @property {string} scenario @property {string} title @property {string} engine @property {string} host
 * @property {string[]} sees @property {number | null} recoverMs
 * @property {number} lost @property {number} failed @property {number} duplicated @property {boolean} reported
 */

/** @param {string} name @returns {Row} */
const readRow = (name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));

/** One fault on one host. @param {Row[]} rows */
function lineOf(rows) {
  const [{ scenario, title, host, sees }] = /** @type {[Row]} */ (rows);
  const cells = columns.map((engine) => {
    const row = rows.find((row) => row.engine === engine);
    return row ? cellOf(row, sees) : (simulatedOnly(scenario, engine) ?? 'not run');
  });
  return `| ${[title, host, seen(sees), ...cells].join(' | ')} |`;
}

/** @param {Row} row @param {string[]} common what the line says that the user sees */
function cellOf({ sees, recoverMs, lost, failed, duplicated, reported }, common) {
  const parts = [
    recoverMs === null ? 'goes on' : `${(recoverMs / 1000).toFixed(1)} s`,
    `${lost} lost${lost > 0 && reported ? ', told' : ''}`,
    ...(failed > 0 ? [`${failed} sends counted`] : []),
    `${duplicated} twice`,
    ...(seen(sees) === seen(common) ? [] : [`sees ${seen(sees)}`]),
  ];
  return parts.join('; ');
}

/** @param {string[]} sees */
const seen = (sees) => (sees.length > 0 ? sees.map((step) => `\`${step}\``).join(' → ') : 'nothing: open throughout');

/** Why an engine cannot be made to show a fault, as its scenario says. @param {string} scenario @param {string} engine */
function simulatedOnly(scenario, engine) {
  const file = at('tests/scenarios', `${scenario}.txt`);
  if (!existsSync(file)) return undefined;
  const reason = readFileSync(file, 'utf8').match(new RegExp(`^simulated-only ${engine}: (.*)$`, 'm'))?.[1];
  return reason && `simulated only: ${reason}`;
}

/** Writes the table of faults into docs/RELIABILITY.md, from the rows that the browser suite and the simulator have left in target/reliability. */
main(async () => {
  const rows = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .map(readRow)
    : [];
  if (rows.length === 0) throw new Stop('there are no rows: run `npm test -- faults sim` first');
  const faults = [...new Set(rows.map(({ scenario }) => scenario))].sort();
  const lines = faults.flatMap((fault) => {
    const about = rows.filter(({ scenario }) => scenario === fault);
    return [...new Set(about.map(({ host }) => host))]
      .sort()
      .map((host) => lineOf(about.filter((row) => row.host === host)));
  });
  writeBetween(document, 'faults', [...head, ...lines]);
  say(`${lines.length} lines from ${rows.length} rows`);
});
