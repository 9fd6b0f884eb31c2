import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const read = (path: string) => readFileSync(path, 'utf8');

/** The codes that the first columns of the tables in docs/RELIABILITY.md name, and those named beside the tables. */
const documented = () => {
  const text = read('docs/RELIABILITY.md').split('## Reason codes')[1] ?? '';
  const rows = [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, code]) => code as string);
  const beside = [...(/^Besides.*$/m.exec(text)?.[0] ?? '').matchAll(/`([a-z-]+)` \(/g)].map(
    ([, code]) => code as string,
  );
  return [...rows, ...beside];
};

/** Its reasons, and the codes by which it refuses a socket. */
const ofTheHub = () =>
  [
    ...read('src/protocol/reason.rs').matchAll(/=> "([\w-]+)",/g),
    ...read('src/core/hub.rs').matchAll(/refuse_handle\(\w+, \w+, "([\w-]+)"/g),
  ].map(([, code]) => code as string);

describe('the table of reason codes', () => {
  test('has every code of the hub, each once', () => {
    expect(ofTheHub().length).toBeGreaterThan(20);
    expect(documented()).toEqual([...new Set(documented())]);
    expect(documented()).toEqual(expect.arrayContaining(ofTheHub()));
  });

  test('has no code that neither hub nor page knows', () => {
    const page = readdirSync('www/client')
      .map((name) => read(`www/client/${name}`))
      .join();
    expect(documented().filter((code) => !ofTheHub().includes(code) && !page.includes(`'${code}'`))).toEqual([]);
  });
});
