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
for (const { name, text, type } of membersOf('SocketOptions')) {
  if (!groups.has(type) || type === 'Template') declared.set(name, defaultIn(text));
  else for (const member of membersOf(type)) declared.set(`${name}.${member.name}`, defaultIn(member.text));
}

/** The defaults of the hub, by the same names. */
const inForce = new Map<string, string>();
const rust = readFileSync(at('src/protocol/options.rs'), 'utf8');
for (const [, group, body = ''] of rust.matchAll(/^ {4}\w+, \w+, "(\w+)" \{\n([\s\S]*?)^ {4}\}/gm)) {
  for (const [, value = '', name] of body.matchAll(/= (.+), "(\w+)";/g)) {
    if (declared.has(`${group}.${name}`) && !value.endsWith('::DEFAULT')) inForce.set(`${group}.${name}`, value);
  }
}

/** The rows of tables that say what the default of an option is. */
const rows = guides.flatMap(({ path, prose }) =>
  prose.flatMap((line) => {
    const [, name = '', value = ''] = /^\| `([\w.]+)` \|.* \| (.+) \|$/.exec(line) ?? [];
    return declared.has(name) ? [{ path, name, value }] : [];
  }),
);

test('the page of options has every option, each once', () => {
  const names = rows.filter(({ path }) => path === 'docs/OPTIONS.md').map(({ name }) => name);
  expect([...names].sort()).toEqual([...declared.keys()].sort());
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

/** The members of an interface of options.ts. */
function membersOf(group: string) {
  const members = groups.get(group)?.matchAll(/^ {2}\/\*\*([\s\S]*?)\*\/\n {2}(\w+)\?: ([^;]+);/gm) ?? [];
  return [...members].map(([, text = '', name = '', type = '']) => ({ name, text, type }));
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
