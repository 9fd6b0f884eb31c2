import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { argv, execPath } from 'node:process';
import { sizesOf } from './build/sizes.mjs';
import { writeBetween } from './lib/marks.mjs';
import { at } from './lib/paths.mjs';
import { must } from './lib/run.mjs';
import { main, Stop, say } from './lib/say.mjs';
import { setup } from './setup.mjs';
import { vitest } from './test/counts.mjs';

const folder = at('target/packaging/rows');
const document = at('docs/PACKAGING.md');

/**
 * @typedef {object} Row as tests/packaging/consumers.test.ts writes it
 * @property {[number, number]} place in the order of consumers and of their ways
 * @property {string} consumer @property {string} way @property {string} takes
 * @property {{ files: number, inlined: number }} [wasm]
 */

/**
 * Installs what `npm pack` gives in every consumer, or in those that are named, and uses it there: types, builds, two real tabs. When every
 * consumer has passed, writes the tables of docs/PACKAGING.md.
 */
main(async () => {
  const names = argv.slice(2);
  await setup('test', { strict: true });
  await must('the package could not be built: see above', execPath, ['scripts/build.mjs'], { show: true });
  const server = ['build', '--quiet', '--release', '--package=tabwire-server'];
  await must('the demo server does not compile: see the output of cargo build above', 'cargo', server);
  rmSync(folder, { recursive: true, force: true });
  process.env.TABWIRE_CONSUMERS = names.join(',') || 'all';
  const { passed, failed } = await vitest('packaging', ['chromium']);
  if (failed > 0) throw new Stop(`${failed} of ${passed + failed} tests failed, and ${document} is left as it was`);
  if (names.length > 0) return;
  const rows = readdirSync(folder).map(readRow);
  rows.sort(({ place: [one, way] }, { place: [other, otherWay] }) => one - other || way - otherWay);
  writeBetween(document, 'consumers', [...head, ...rows.map(lineOf)]);
  const sizes = Object.entries(await sizesOf()).map(([what, size]) => `| ${what} | ${size} |`);
  writeBetween(document, 'sizes', ['| what | bytes |', '| --- | --: |', ...sizes]);
  say(`${rows.length} lines in ${document}`);
});

const head = [
  '| consumer | way | two tabs, one connection | wasm in the output | what it takes |',
  '| --- | --- | --- | --- | --- |',
];

/** @param {string} name @returns {Row} */
const readRow = (name) => JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'));

/** @param {Row} row */
const lineOf = ({ consumer, way, wasm, takes }) =>
  `| ${[consumer, way, 'yes', wasm ? inWords(wasm) : 'nothing is written', takes].join(' | ')} |`;

/** @param {NonNullable<Row['wasm']>} wasm */
const inWords = ({ files, inlined }) =>
  [...(files > 0 ? [`${files} file`] : []), ...(inlined > 0 ? [`${inlined} inside of a script`] : [])].join(', ');
