import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { engineNames } from '../../scripts/lib/engines.mjs';
import { at } from '../../scripts/lib/paths.mjs';
import { steps } from '../../scripts/test/steps.mjs';

/** The commands of a line for the shell, without comments and what is set for them. */
export const commandsOf = (line: string): string[] =>
  line
    .replace(/(^|\s)#.*$/, '')
    .split('&&')
    .map((command) => command.trim().replace(/^([A-Z_]+=\S+ )+/, ''))
    .filter((command) => command !== '');

/** What is wrong with a command, if something is: whether it names what is there, here or in the folder of an app. It is not run. */
export function faultOf(command: string, elsewhere = false): string | undefined {
  const [program = '', ...words] = command.split(/\s+/);
  if (elsewhere && /^(node [\w-]+\.js|npm run (dev|build|preview))$/.test(command)) return undefined;
  const judge = judges[program];
  return judge ? judge(words) : `nobody knows what '${program}' is`;
}

type Judge = (words: string[]) => string | undefined;

const fine: Judge = () => undefined;

const judges: Record<string, Judge> = {
  npm: ([verb = '', ...words]) => {
    if (['install', 'create', 'pack', 'ci', 'version', 'publish'].includes(verb)) return undefined;
    const script = verb === 'run' ? words[0] : verb;
    if (script && !scripts[script]) return `package.json has no script '${script}'`;
    if (script !== 'test') return undefined;
    const named = verb === 'run' ? words.slice(1) : words;
    return missing('step or engine', named.slice(1), [...steps.map(({ name }) => name), ...engineNames]);
  },
  npx: ([tool = '', ...words]) => {
    if (['vite', 'biome', 'wasm-pack'].includes(tool)) return undefined;
    if (tool !== 'vitest') return `nobody knows what 'npx ${tool}' is`;
    const [project] = valuesOf(words, 'project');
    const files = ['tests', 'benches'].flatMap((folder) =>
      readdirSync(at(folder), { recursive: true, encoding: 'utf8' }),
    );
    const filters = words.filter((word) => word !== 'run' && !word.startsWith('-'));
    return (
      missing('project', project ? [project] : [], projects) ??
      missing(
        'test file',
        filters,
        filters.filter((filter) => files.some((file) => file.includes(filter))),
      )
    );
  },
  cargo: ([verb = '', ...words]) => {
    const target = (kind: string, folders: string[]) =>
      valuesOf(words, kind).find(
        (name) =>
          !folders.some((folder) => existsSync(at(`${folder}/${name}.rs`)) || existsSync(at(folder, name, 'main.rs'))),
      );
    const example = target('example', ['examples', 'tests/server/examples']);
    if (example) return `there is no example '${example}'`;
    const bench = target('bench', ['benches']);
    if (bench) return `there is no bench '${bench}'`;
    const test = target('test', ['tests']);
    if (test) return `there is no test '${test}'`;
    return (
      missing('package', [...valuesOf(words, 'package'), ...valuesOf(words, '-p')], ['tabwire', 'tabwire-server']) ??
      missing('verb', [verb], ['run', 'test', 'bench', 'build', 'fmt', 'clippy', 'fuzz', 'doc'])
    );
  },
  node: ([file = '']) => (existsSync(at(file)) ? undefined : `there is no ${file}`),
  cd: fine,
  git: fine,
};

const { scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as { scripts: Record<string, string> };

const projects = [...readFileSync(at('vitest.config.ts'), 'utf8').matchAll(/name: '(\w+)'/g)].map(([, name]) => name);

/** The values of an option, given as `--name=value`, `--name value` or, with a dash in its name, `-n value`. */
function valuesOf(words: readonly string[], name: string): string[] {
  const option = name.startsWith('-') ? name : `--${name}`;
  return words.flatMap((word, index) => {
    if (word === option) return words[index + 1] ?? [];
    return word.startsWith(`${option}=`) ? word.slice(option.length + 1) : [];
  });
}

const missing = (what: string, named: readonly string[], present: readonly unknown[]) => {
  const absent = named.find((name) => !name.startsWith('-') && !present.includes(name));
  return absent === undefined ? undefined : `there is no ${what} '${absent}'`;
};
