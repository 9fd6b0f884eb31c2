import { readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { Application } from 'typedoc';
import { at } from '../lib/paths.mjs';
import { main, Stop, say } from '../lib/say.mjs';

/**
 * Writes the API reference, a site, of the declarations that the built package gives to its users: every entry of `exports` that
 * has types. Stops at the first warning: at what is exported without a comment, or named in one and not there.
 * @param {string} folder relative to the root
 */
export async function makeApi(folder) {
  const entries = typedEntries();
  const app = await Application.bootstrap({
    name: 'tabwire',
    entryPoints: entries.map(({ types }) => at(types)),
    tsconfig: at('scripts/api/tsconfig.json'),
    readme: 'none',
    disableSources: true,
    hideGenerator: true,
    excludeExternals: true,
    validation: { notExported: true, invalidLink: true, notDocumented: true },
    requiredToBeDocumented: ['Class', 'Interface', 'Function', 'Variable', 'TypeAlias', 'Enum'],
    // What a TrustedScriptURL has.
    intentionallyNotDocumented: ['tabwire.HostOptions.workerUrl.__type.toString'],
  });
  const project = await app.convert();
  if (!project) throw new Stop('the declarations could not be read: see above');
  for (const module of project.children ?? []) {
    // TypeDoc names it after its path.
    module.name = entries.find(({ types }) => types.includes(`/${module.name}`))?.name ?? module.name;
  }
  app.validate(project);
  await app.generateDocs(project, at(folder));
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Stop('the API reference has warnings: see above');
  return entries.map(({ name }) => name);
}

/** The entries of the package that have types, as its users import them. */
function typedEntries() {
  /** @type {{ name: string, exports: Record<string, string | { types?: string }> }} */
  const { name, exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([path, entry]) =>
    typeof entry === 'object' && entry.types ? { name: name + path.slice(1), types: entry.types } : [],
  );
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  main(async () => {
    const names = await makeApi('target/api');
    say(`docs: the API reference of ${names.join(', ')} is in target/api/index.html`);
  });
}
