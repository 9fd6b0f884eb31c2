import { readFileSync } from 'node:fs';
import { at } from '../lib/paths.mjs';
import { hashOf } from '../lib/stamp.mjs';

/** What the wasm is made from; the lock file stands for the version of wasm-opt. */
export const rustInputs = [
  'src',
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  '.cargo',
  'package-lock.json',
  'scripts/build/wasm.mjs',
];

/** What the bundles and their types are made from, besides the glue that comes with the wasm. */
export const pageInputs = [
  'worker',
  'www/client',
  'www/react',
  'www/testing',
  'package-lock.json',
  'tsconfig.base.json',
  'tsconfig.types.json',
  'tsconfig.worker.json',
  'scripts/build',
];

/** The name of a build, in worker and client alike: the version, that of the package if none is given, and a short hash of all inputs. @param {string} [version] */
export function buildName(version) {
  version ??= JSON.parse(readFileSync(at('package.json'), 'utf8')).version;
  return `${version}+${hashOf([...rustInputs, ...pageInputs]).slice(0, 8)}`;
}
