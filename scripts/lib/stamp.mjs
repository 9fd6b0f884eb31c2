import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { at } from './paths.mjs';

/**
 * The content hash of files and folders (walked in name order), named relative to the root; what does not exist counts as absent.
 * @param {string[]} inputs @param {string[]} [extra] strings that count as well, such as versions
 */
export function hashOf(inputs, extra = []) {
  const hash = createHash('sha256');
  for (const text of extra) hash.update(`${text}\0`);
  for (const input of inputs) addPath(hash, input);
  return hash.digest('hex');
}

/** Whether the step of that name was last finished with this key, and all that it made is still there. @param {string} name @param {string} key @param {string[]} outputs */
export function isFresh(name, key, outputs) {
  const stamp = stampFile(name);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === key && outputs.every((output) => existsSync(at(output)));
}

/** Notes that the step of that name is finished. @param {string} name @param {string} key */
export function setFresh(name, key) {
  const stamp = stampFile(name);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
}

/** @param {string} name */
const stampFile = (name) => at('.tools/stamps', name);

/** @param {import('node:crypto').Hash} hash @param {string} path */
function addPath(hash, path) {
  const full = at(path);
  if (!existsSync(full)) return;
  if (!statSync(full).isDirectory()) {
    hash.update(`${path}\0`).update(readFileSync(full)).update('\0');
    return;
  }
  for (const name of readdirSync(full).sort()) addPath(hash, join(path, name));
}
