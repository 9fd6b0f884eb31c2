import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/run.mjs';

/** An app outside the repository that has the packed package installed, and is built. */
export interface ScratchApp {
  /** The folder that the build was written to. */
  readonly site: string;
  /** The files of the build, relative to it. */
  readonly files: readonly string[];
  remove(): Promise<void>;
}

/** Packs the package as it would be published, installs it into a copy of the template, and builds that. */
export async function buildScratchApp(template: string): Promise<ScratchApp> {
  const folder = await mkdtemp(join(tmpdir(), 'tabwire-app-'));
  await cp(at('tests/packaging', template), folder, { recursive: true });
  await npm(at('.'), 'pack', '--ignore-scripts', `--pack-destination=${folder}`);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  await npm(folder, 'install', '--ignore-scripts', '--prefer-offline', '--no-package-lock', `./${tarball}`);
  await npm(folder, 'run', 'build');
  const site = join(folder, 'dist');
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  return {
    site,
    files: entries.filter((entry) => entry.isFile()).map((entry) => entry.name),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function npm(cwd: string, ...args: string[]): Promise<void> {
  const { code, output } = await run('npm', args, { cwd });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output}`);
}
