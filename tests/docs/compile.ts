import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { at } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/run.mjs';
import { type Block, nameOf, place } from './documents.js';

/** What the compiler has to say about blocks, by the place of each. */
export type Complaints = ReadonlyMap<string, readonly string[]>;

/**
 * Compiles blocks of TypeScript and JavaScript against the declarations of the built package, as an app would that has installed it:
 * strictly, but for unused names, and in JavaScript for types that it cannot write down.
 */
export async function compile(blocks: readonly Block[]): Promise<Complaints> {
  rmSync(at(folder), { recursive: true, force: true });
  const modules = modulesOf(blocks);
  const complaints = new Map<string, string[]>();
  const ways = [
    { way: 'typed', options: {} },
    { way: 'untyped', options: { noImplicitAny: false, useUnknownInCatchVariables: false } },
  ];
  await Promise.all(
    ways.map(async ({ way, options }) => {
      const own = modules.filter(({ file }) => file.startsWith(`${way}/`));
      mkdirSync(at(folder, way), { recursive: true });
      for (const { file, text } of own) writeFileSync(at(folder, file), text);
      const config = { extends: '../../../tsconfig.base.json', compilerOptions: { ...asInAnApp, ...options } };
      writeFileSync(at(folder, way, 'tsconfig.json'), JSON.stringify(config));
      const { code, output } = await run('tsc', ['--project', `${folder}/${way}/tsconfig.json`, '--pretty', 'false']);
      const lines = output.split('\n').filter((line) => line !== '');
      const known = lines.filter((line) => {
        const [, name, row, , what] = /([\w-]+\.L\d+\.tsx?)\((\d+),(\d+)\): (.*)$/.exec(line) ?? [];
        const module = own.find(({ file }) => file === `${way}/${name}`);
        const block = module?.blocks.filter(({ line }) => line <= Number(row)).at(-1);
        if (block) complaints.set(place(block), [...(complaints.get(place(block)) ?? []), `line ${row}: ${what}`]);
        return block;
      });
      if (code !== 0 && known.length === 0) throw new Error(`tsc says nothing about a block:\n${output}`);
    }),
  );
  return complaints;
}

interface Module {
  readonly file: string;
  text: string;
  readonly blocks: Block[];
}

/** A module for each block that begins one, with all its lines where they are in the document. */
function modulesOf(blocks: readonly Block[]): Module[] {
  const modules: Module[] = [];
  for (const block of blocks) {
    const last = modules.at(-1);
    const isSame = last?.blocks.at(-1)?.path === block.path;
    if (block.continues && !isSame) throw new Error(`${place(block)}: continues nothing`);
    const module = block.continues && last ? last : { file: fileOf(block), text: '', blocks: [] };
    const empty = block.line - 1 - module.text.split('\n').length + 1;
    module.text += `${'\n'.repeat(empty)}${block.given}\n${block.code}\nexport {};`;
    module.blocks.push(block);
    if (module !== last) modules.push(module);
  }
  return modules;
}

function fileOf({ path, line, language }: Block): string {
  const way = language === 'js' ? 'untyped' : 'typed';
  return `${way}/${nameOf(path)}.L${line}.${language === 'tsx' ? 'tsx' : 'ts'}`;
}

const folder = 'target/docs';

/** As the base, but with `tabwire` found by the `exports` of package.json. */
const asInAnApp = {
  paths: {},
  types: ['vite/client', 'node'],
  noUnusedLocals: false,
  noUnusedParameters: false,
};
