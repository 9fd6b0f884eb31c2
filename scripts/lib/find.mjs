import { accessSync, constants, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The first of the candidates that is an executable file; names without a slash are looked for on PATH. @param {(string | undefined)[]} candidates */
export function findProgram(candidates) {
  for (const candidate of candidates) {
    if (!candidate) continue;
    const paths = candidate.includes('/') ? [candidate] : onPath(candidate);
    const found = paths.find(isExecutable);
    if (found) return found;
  }
  return undefined;
}

/** The same program inside every folder of `parent`, for libraries kept under an architecture's name. @param {string} parent @param {string} rest */
export function inEachFolder(parent, rest) {
  try {
    return readdirSync(parent).map((name) => join(parent, name, rest));
  } catch {
    return [];
  }
}

/** @param {string} name */
const onPath = (name) =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, name));

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
