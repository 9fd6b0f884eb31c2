import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { at } from '../../../scripts/lib/paths.mjs';

/** Puts a newer build of the package where the test server finds it as `/newer/dist`: the same code under a higher version. */
export function makeNewerBuild(): void {
  const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const higher = `${Number(version.split('.')[0]) + 1}.0.0`;
  const folder = at('target/test-site/newer/dist');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(at('dist'))) {
    if (name.endsWith('.wasm')) cpSync(at('dist', name), `${folder}/${name}`);
    if (!name.endsWith('.js')) continue;
    writeFileSync(`${folder}/${name}`, readFileSync(at('dist', name), 'utf8').replaceAll(`${version}+`, `${higher}+`));
  }
}
