import { mkdirSync, symlinkSync } from 'node:fs';
import { at } from '../../scripts/lib/paths.mjs';
import { type Server, startServer } from '../../tests/browser/harness/index.js';

/** Starts the server with the pages of the benchmark, and the built package under /dist. */
export function startSite(): Promise<Server> {
  const aside = at('target/bench-site');
  mkdirSync(aside, { recursive: true });
  try {
    symlinkSync(at('dist'), `${aside}/dist`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return startServer({ static: [at('benches/browser/pages'), aside] });
}
