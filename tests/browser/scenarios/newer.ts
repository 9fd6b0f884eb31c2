import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { at } from '../../../scripts/lib/paths.mjs';

/**
 * Puts a newer build of the package where the test server finds it as `/newer/dist`: the same code under a higher version.
 * What is there already is left alone: another run may be using it.
 */
export function makeNewerBuild(): void {
  const { version } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const higher = `${Number(version.split('.')[0]) + 1}.0.0`;
  const folder = at('target/test-site/newer/dist');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(at('dist')).filter((name) => /\.(js|wasm)$/.test(name))) {
    const file = `${folder}/${name}`;
    const old = readFileSync(at('dist', name));
    const made = name.endsWith('.js') ? Buffer.from(`${old}`.replaceAll(`${version}+`, `${higher}+`)) : old;
    if (!existsSync(file) || !readFileSync(file).equals(made)) writeFileSync(file, made);
  }
}
