import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { guides } from './documents.js';

/** What options.ts says of each option that it declares, by its name with that of its group: the text after "Default". */
const declared = new Map<string, string>();
/** The interfaces of the groups, by their names. */
const groups = new Map<string, string>();

const source = readFileSync(at('www/client/options.ts'), 'utf8');
for (const [, name = '', body = ''] of source.matchAll(/^export interface (\w+)[^{]*\{\n([\s\S]*?)^\}/gm)) {
  groups.set(name, body);
}
declare('', groups.get('SocketOptions') ?? '', '  ');

/** The defaults of the hub, by the same names. */
const inForce = new Map<string, string>();
const rust = readFileSync(at('src/protocol/options.rs'), 'utf8');
for (const [, group, body = ''] of rust.matchAll(/^ {4}\w+, \w+, "(\w+)" \{\n([\s\S]*?)^ {4}\}/gm)) {
  for (const [, value = '', name] of body.matchAll(/= (.+), "(\w+)";/g)) {
    if (declared.has(`${group}.${name}`) && !value.endsWith('::DEFAULT')) inForce.set(`${group}.${name}`, value);
  }
}

/** The rows of tables that say what the default of an option is: in the column of that name. */
const rows = guides.flatMap(({ path, prose }) => {
  let column = -1;
  return prose.flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells.includes('default')) column = cells.indexOf('default');
    if (cells.length < 3) column = -1;
    const [, name = ''] = /^`([\w.]+)`$/.exec(cells[1] ?? '') ?? [];
    return column > 0 && declared.has(name) ? [{ path, name, value: cells[column] ?? '' }] : [];
  });
});

test('the page of options names each once, and what it does not name another guide does', () => {
  const names = rows.filter(({ path }) => path === 'docs/OPTIONS.md').map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
  expect([...declared.keys()].filter((name) => !rows.some((row) => row.name === name))).toEqual([]);
});

describe('a table', () => {
  test.each(rows.map((row) => [row.path, row.name, row.value] as const))(
    'of %s has the default of %s',
    (_, name, value) => {
      expect(plain(value)).toEqual(plain(declared.get(name) ?? ''));
    },
  );
});

test('the page side documents the defaults that the hub has', () => {
  expect(inForce.size).toBeGreaterThan(30);
  for (const [name, value] of inForce) {
    const said = plain(declared.get(name) ?? '');
    // Where the hub has nothing the page may say what follows from that.
    if (value === 'None') expect({ name, said }).toEqual({ name, said: expect.not.stringMatching(/^\d/) });
    else expect({ name, said: said.split(' when ')[0] }).toEqual({ name, said: spelled(value) });
  }
});

test('the values of the preset for a fleet are those that the hub takes', () => {
  const shown = /asFleet: SocketOptions = \{([\s\S]*?)\n\};/.exec(readFileSync(at('docs/COMING-FROM.md'), 'utf8'))?.[1];
  const taken = /fn prefer_fleet[\s\S]*?^ {4}\}/m.exec(rust)?.[0];
  const numbers = (text = '') => [
    ...new Set(text.match(/\b\d[\d_.]*/g)?.map((each) => Number(each.replaceAll('_', '')))),
  ];
  expect(numbers(shown).sort()).toEqual(numbers(taken).sort());
});

/** Notes the options of a group, and of the groups in it, by the comments before them. */
function declare(prefix: string, body: string, indent: string): void {
  const comment = `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n${indent}`;
  const member = new RegExp(`^${indent}(?:${comment})?(\\w+)\\?: (\\{\\n([\\s\\S]*?)\\n${indent}\\}|[^;]+);`, 'gm');
  for (const [, text = '', name = '', type = '', inner] of body.matchAll(member)) {
    if (inner) declare(`${prefix}${name}.`, inner, `${indent}  `);
    else if (type.endsWith('Options')) declare(`${prefix}${name}.`, groups.get(type) ?? '', indent);
    else declared.set(prefix + name, defaultIn(text));
  }
}

/** What a comment says the default is. */
function defaultIn(comment: string): string {
  const text = comment.replace(/\s*\n\s*\*\s*/g, ' ');
  const [, word] = /(`?'\w+'`?), the default[ ,]/.exec(text) ?? [];
  return word ?? /Default:? (.+?)(\.( |$|\s*$)|$)/.exec(text)?.[1]?.replace(/[:,;] .*$/, '') ?? 'none';
}

/** A default without what is only for reading: numbers by their value, words without marks. */
function plain(text: string): string {
  return text
    .replace(/(\d) (?=\d{3}\b)(?!\d{4})/g, '$1')
    .replace(/(\d+) MiB/g, (_, mebi) => `${Number(mebi) * 2 ** 20}`)
    .replace(/[`']/g, '')
    .replace(/(\d) ms\b.*$/, '$1')
    .replace(/[:;,] .*$/, '')
    .replace(/^off.*/, 'none')
    .trim();
}

/** A default of the hub as a document would write it. */
function spelled(rust: string): string {
  const [, type = '', word = ''] = /^(\w+)::([A-Z]\w+)$/.exec(rust) ?? [];
  if (word === 'INFINITE' || rust.includes('u32::MAX')) return 'Infinity';
  if (type === 'Growth') return '2';
  if (word) return word.toLowerCase();
  return rust
    .replace(/(\d+) << 20/g, (_, mebi) => `${Number(mebi) * 2 ** 20}`)
    .replaceAll('_', rust.includes('"') ? '_' : '')
    .replace(/^Amount::new\((\d+), (\d+)\)$/, '$1 messages or $2')
    .replace(/^(?:\w+::frommillis|\w+::new|\w+)\(([\d.]+)(?:, \1)?\)$/, '$1')
    .replace(/^vec!\[(.*)\]$/, (_, items) => items.replaceAll(',', ''))
    .replace(/^"(.*)"\.into\(\)$/, '$1')
    .toLowerCase();
}
