import { mkdir, readdir, rm } from 'node:fs/promises';
import { at } from '../../scripts/lib/paths.mjs';
import { run } from '../../scripts/lib/run.mjs';

/** Packs the package as it would be published, and resolves to the path of the tarball. `name` is the folder under `target/packaging` that is for it. */
export async function pack(name: string): Promise<string> {
  const folder = at('target/packaging', name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await npm(at('.'), 'pack', '--ignore-scripts', `--pack-destination=${folder}`);
  const [tarball] = await readdir(folder);
  return `${folder}/${tarball}`;
}

/** Runs npm, which keeps what it downloads in `.tools`. */
export async function npm(cwd: string, ...args: string[]): Promise<void> {
  const { code, output } = await run('npm', [...args, `--cache=${at('.tools/npm')}`], { cwd });
  if (code !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${output}`);
}
