import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root, without a trailing slash. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** An absolute path inside the project. @param {string[]} parts */
export const at = (...parts) => join(root, ...parts);

/** Where the pinned cargo tools are installed. */
export const cargoBin = at('.tools/cargo/bin');
