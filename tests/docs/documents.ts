import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { at } from '../../scripts/lib/paths.mjs';

/** A document of the project, taken apart. */
export interface Document {
  /** Relative to the root. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** What is no block, by lines; lines of blocks are empty. */
  readonly prose: readonly string[];
}

/** A fenced block. */
export interface Block {
  readonly path: string;
  /** The line of its fence, from 1 on. */
  readonly line: number;
  /** The language; `''` is a picture or what a program prints. */
  readonly language: string;
  readonly code: string;
  /** Declarations that a comment before it gives: `<!-- given: declare const url: string -->`. */
  readonly given: string;
  /** Whether it goes on where the block before has ended: `<!-- continues -->`. */
  readonly continues: boolean;
  /** Whether its commands are for the folder of an app: `<!-- elsewhere -->`. */
  readonly elsewhere: boolean;
}

/** README.md and everything directly under docs: what users read. */
export const guides = ['README.md', ...markdownIn('docs')].map(read);

/** All that stands in the repository for people to read. */
export const documents = [...guides, ...['.', 'tests', 'benches', 'examples'].flatMap(below).map(read)];

/** Where a block stands, as editors find it. */
export const place = ({ path, line }: Block) => `${path}:${line}`;

function markdownIn(folder: string): string[] {
  return readdirSync(at(folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

/** Those of a folder; of folders below it as well, unless it is the root. */
function below(folder: string): string[] {
  if (folder === '.') return ['CHANGELOG.md', 'CONTRIBUTING.md'];
  return readdirSync(at(folder), { recursive: true, withFileTypes: true })
    .filter(({ name, parentPath }) => name.endsWith('.md') && !parentPath.includes('node_modules'))
    .map(({ name, parentPath }) => `${parentPath.slice(at('.').length + 1)}/${name}`);
}

function read(path: string): Document {
  const text = readFileSync(at(path), 'utf8');
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { fence: string; line: number; language: string; code: string[] } | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const [, fence = '', language = ''] = /^(`{3,})(\S*)/.exec(line) ?? [];
    prose.push(open || fence ? '' : line);
    if (open && line === open.fence) {
      blocks.push({ ...open, ...notesBefore(prose.slice(0, open.line - 1)), path, code: open.code.join('\n') });
      open = undefined;
    } else if (open) open.code.push(line);
    else if (fence) open = { fence, line: index + 1, language, code: [] };
  }
  if (open) throw new Error(`${path}:${open.line}: the block does not end`);
  return { path, text, blocks, prose };
}

/** What the comments say that stand right before a block. */
function notesBefore(lines: readonly string[]): Pick<Block, 'given' | 'continues' | 'elsewhere'> {
  const [notes = ''] = /(?:<!--(?:(?!-->)[\s\S])*-->\s*)*$/.exec(lines.join('\n')) ?? [];
  const given = [...notes.matchAll(/<!-- given: ([\s\S]*?)-->/g)]
    .map(([, text]) => text?.replaceAll('\n', ' '))
    .join(' ');
  const says = (word: string) => notes.includes(`<!-- ${word} -->`);
  return { given, continues: says('continues'), elsewhere: says('elsewhere') };
}

/** The name of a document without folder and ending. */
export const nameOf = (path: string) => basename(path, '.md');
