import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { at } from '../../scripts/lib/paths.mjs';
import { documents, guides } from './documents.js';

const named = documents.map((document) => [document.path, document] as const);

/** The anchors of a document, as GitHub makes them of its headings. */
const anchorsOf = (text: string): string[] => {
  const seen = new Map<string, number>();
  return [...text.replace(/^(```+)[\s\S]*?^\1$/gm, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    return times ? `${slug}-${times}` : slug;
  });
};

/** What a link leads to, relative to the root, and why that is nowhere. */
const deadEnd = (from: string, link: string): string | undefined => {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(at(path))) return `${link}: there is no ${path}`;
  if (anchor === undefined || anchorsOf(readFileSync(at(path), 'utf8')).includes(anchor)) return undefined;
  return `${link}: ${path} has no such heading`;
};

test.each(named)('the links of %s lead somewhere', (path, { prose }) => {
  const links = [...prose.join('\n').matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const own = links.filter((link) => !/^https?:/.test(link));
  expect(own.map((link) => deadEnd(path, link)).filter(Boolean)).toEqual([]);
});

test.each(named)('the files that %s names are there', (_, { prose }) => {
  const files = [...prose.join('\n').matchAll(/`((?:src|tests|www|worker|docs|scripts|benches|examples)\/[\w./-]+)`/g)];
  expect(files.map(([, file = '']) => file).filter((file) => !existsSync(at(file)))).toEqual([]);
});

test.each(named)('the tests that %s names are in the files that it says', (_, { prose }) => {
  const name = /"[^"]+"|`[\w…]+`/.source;
  const claims = prose
    .join('\n')
    .matchAll(new RegExp(`\`((?:tests|www)/[\\w./-]+)\`(?:\\]\\([^)]*\\))?: ((?:${name})(?:, (?:${name}))*)`, 'g'));
  const untrue = [...claims].flatMap(([, file = '', names = '']) => {
    const text = readFileSync(at(file), 'utf8');
    return [...names.matchAll(new RegExp(name, 'g'))]
      .map(([quoted]) => quoted.slice(1, -1))
      .filter((each) => !text.includes(each))
      .map((each) => `${file} has no ${each}`);
  });
  expect(untrue).toEqual([]);
});

test('the index of the documents has each of them', () => {
  const index = readFileSync(at('docs/README.md'), 'utf8');
  const names = guides.map(({ path }) => path.split('/')[1]).filter((name) => name && name !== 'README.md');
  expect(names.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});
