import { parse } from 'node:path';
import { transform } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { commandsOf, faultOf } from './commands.js';
import { type Complaints, compile } from './compile.js';
import { type Block, guides, place } from './documents.js';
import { faultOfHeader } from './headers.js';

const blocks = guides.flatMap(({ blocks }) => blocks);
const of = (...languages: string[]) => blocks.filter(({ language }) => languages.includes(language));

/** The scripts of a page are JavaScript at the lines where they stand. */
const scriptsOf = (page: Block): Block[] =>
  [...page.code.matchAll(/<script type="module">\n([\s\S]*?)<\/script>/g)].map(({ 1: code = '', index }) => ({
    ...page,
    language: 'js',
    line: page.line + page.code.slice(0, index).split('\n').length,
    code,
  }));

/** A template is to have the type that the package has for it. */
const asTemplate = (block: Block): Block => ({
  ...block,
  language: 'ts',
  given: `import type { Template } from 'tabwire'; export const template: Template =`,
});

const isTemplate = ({ code }: Block) => 'receive' in JSON.parse(code) || 'send' in JSON.parse(code);

const javaScript = [...of('js'), ...of('html').flatMap(scriptsOf)];
const templates = of('json').filter(isTemplate).map(asTemplate);
const compiled = [...of('ts', 'tsx'), ...javaScript, ...templates];

test('every block is in a language that is checked here', () => {
  const checked = ['', 'ts', 'tsx', 'js', 'html', 'json', 'sh', 'http'];
  expect(blocks.filter(({ language }) => !checked.includes(language)).map(place)).toEqual([]);
  expect(blocks.length).toBeGreaterThan(10);
});

describe('what is compiled', () => {
  let complaints: Complaints;
  beforeAll(async () => {
    complaints = await compile(compiled);
  }, 60_000);

  test.each(compiled.map((block) => [place(block)]))('%s', (at) => {
    expect(complaints.get(at) ?? []).toEqual([]);
  });
});

test.each(javaScript.map((block) => [place(block), block] as const))('%s has no types in it', async (_, { code }) => {
  await transform(code, { loader: 'js' });
});

test.each(of('json').map((block) => [place(block), block] as const))('%s is JSON', (_, { code }) => {
  expect(JSON.parse(code)).toBeTypeOf('object');
});

test.each(of('http').map((block) => [place(block), block] as const))('%s are headers', (_, { code }) => {
  expect(code.split('\n').map(faultOfHeader).filter(Boolean)).toEqual([]);
});

test.each(of('sh').map((block) => [place(block), block] as const))(
  '%s names what is there',
  (_, { code, elsewhere }) => {
    const commands = code.split('\n').flatMap(commandsOf);
    expect(commands.map((command) => faultOf(command, elsewhere)).filter(Boolean)).toEqual([]);
  },
);

test('what is named beside the text as a command is there', () => {
  const faults = guides.flatMap(({ path, prose }) =>
    prose.flatMap((line, index) =>
      [...line.matchAll(/`((?:npm|npx|cargo|node) [^`]+)`/g)]
        .flatMap(([, command = '']) => commandsOf(command).map((each) => faultOf(each)))
        .filter(Boolean)
        .map((fault) => `${parse(path).base}:${index + 1}: ${fault}`),
    ),
  );
  expect(faults).toEqual([]);
});
