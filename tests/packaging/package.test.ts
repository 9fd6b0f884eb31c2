import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/run.mjs';
import { type App, installApp } from './app.js';
import { pack } from './packed.js';

let tarball: string;
/** An app that has the package and React. */
let app: App;

beforeAll(async () => {
  tarball = await pack('package');
  app = await installApp({ app: ['server'], tools: { react: '19.3.1' } }, tarball);
  return () => app.remove();
}, 120_000);

const inPackage = (file: string) => join(app.folder, 'node_modules/tabwire', file);
const read = (file: string) => readFileSync(inPackage(file), 'utf8');

test('crate and package have the same version', () => {
  const crate = readFileSync(at('Cargo.toml'), 'utf8').match(/^version = "(.+)"/m)?.[1];
  expect(JSON.parse(read('package.json')).version).toBe(crate);
});

test('everything that is exported is there, types first', () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, string | Record<string, string>> };
  expect(Object.keys(exports)).toEqual(
    expect.arrayContaining(['.', './react', './worker', './worker.inline.js', './hub.wasm', './package.json']),
  );
  for (const [name, target] of Object.entries(exports)) {
    const files = typeof target === 'string' ? [target] : Object.values(target);
    expect(
      files.filter((file) => !existsSync(inPackage(file))),
      name,
    ).toEqual([]);
    if (typeof target !== 'string') expect(Object.keys(target), name).toEqual(['types', 'default']);
  }
});

test('publint finds nothing', async () => {
  expect(await said('publint', 'run', tarball, '--strict')).toMatchObject({ code: 0 });
});

test('are the types wrong? No', async () => {
  // All but the wasm, which is no module: .attw.json.
  expect(await said('attw', tarball)).toMatchObject({ code: 0 });
});

test('it asks for no version of Node: it runs in browsers', () => {
  expect(JSON.parse(read('package.json')).engines).toBeUndefined();
});

test('only the workers do something when they are imported', async () => {
  const { sideEffects } = JSON.parse(read('package.json')) as { sideEffects: string[] };
  expect(sideEffects).toEqual(['./dist/worker.js', './dist/worker.inline.js']);
});

test('every script has a source map with the sources in it, and no path of the machine that it was built on', async () => {
  const files = await readdir(inPackage('dist'));
  for (const file of files.filter((file) => file.endsWith('.js'))) {
    expect(read(`dist/${file}`)).toMatch(new RegExp(`\n//# sourceMappingURL=${file}\\.map\n$`));
    const { sources, sourcesContent } = JSON.parse(read(`dist/${file}.map`)) as Record<string, string[]>;
    expect(sourcesContent?.filter((content) => content).length, file).toBe(sources?.length);
    expect(sources?.filter((source) => !source.startsWith('../'))).toEqual([]);
  }
});

test('nothing but React and what is in the package is imported', async () => {
  const files = await readdir(inPackage('dist'));
  for (const file of files.filter((file) => file.endsWith('.js'))) {
    const names = [...read(`dist/${file}`).matchAll(/(?:\bfrom|\bimport\(?)\s*["']([^"']+)["']/g)].map(
      ([, name]) => name,
    );
    const foreign = names.filter((name) => !existsSync(inPackage(`dist/${name}`)));
    expect(new Set(foreign), file).toEqual(new Set(file === 'react.js' ? ['react'] : []));
  }
});

test('the React adapter says that it is for the client', () => {
  expect(read('dist/react.js')).toMatch(/^(["'])use client\1;\n/);
});

test('an import on a server touches no global but EventTarget, which classes extend where there is one, and leaves none', async () => {
  const { exports } = JSON.parse(read('package.json')) as { exports: object };
  const names = Object.keys(exports).filter((name) => !/worker|\.wasm$|\.json$/.test(name));
  const specifiers = names.map((name) => name.replace('.', 'tabwire'));
  const { code, output } = await run(process.execPath, [join(app.folder, 'import.js'), ...specifiers]);
  expect({ code, output }).toMatchObject({ code: 0 });
  const told = output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(told.map(({ specifier }) => specifier)).toEqual(specifiers);
  // What is for unit tests has the hub in it, and that reads what it decodes text by and tells time by.
  const ofPages = told.filter(({ specifier }) => specifier !== 'tabwire/testing');
  expect(ofPages.flatMap(({ touched }) => touched).filter((name) => name !== 'EventTarget')).toEqual([]);
  expect(told.flatMap(({ left }) => left)).toEqual([]);
});

function said(program: string, ...args: string[]) {
  return run(program, args, { env: { NO_COLOR: '1' } });
}
