import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { at } from '../../../scripts/lib/paths.mjs';
import { Control } from './control.js';
import { ended } from './driver-process.js';

export interface ServerOptions {
  /** Folders whose files are served, the first match wins; by default the test pages, with the built package under /dist. */
  readonly static?: readonly string[];
  /** Further arguments of tabwire-server. */
  readonly args?: readonly string[];
}

/** A running demo server with its pages on one port and a wire that can be made to fail on another. */
export interface Server {
  /** The origin of the pages, http://127.0.0.1:port. */
  readonly site: string;
  /** The origin of the wire as http url. */
  readonly wire: string;
  readonly control: Control;
  /** The url of a page, on another host name if one is given. */
  page(path?: string, host?: string): string;
  /** The url of a WebSocket of the wire, such as `/ws`. */
  socket(path?: string): string;
  close(): Promise<void>;
}

/** Starts the built server on free ports; it dies with this process. */
export async function startServer({ static: folders = testSite(), args = [] }: ServerOptions = {}): Promise<Server> {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`npm run build:server\``);
  const folderArgs = folders.flatMap((folder) => ['--static', folder]);
  const child = spawn(program, ['--exit-with-stdin', ...folderArgs, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const { site, wire } = await new Promise<{ site: string; wire: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`tabwire-server ended with code ${code} before it served`)));
    lines.once('line', (line) => resolve(JSON.parse(line)));
  });
  return {
    site,
    wire,
    control: new Control(site),
    page: (path = '/page.html', host = '127.0.0.1') => site.replace('127.0.0.1', host) + path,
    socket: (path = '/ws') => wire.replace(/^http/, 'ws') + path,
    async close() {
      child.stdin.end();
      await ended(child);
    },
  };
}

const program = at('target/release/tabwire-server');

/** The test pages, and a folder that holds nothing but `dist`. */
function testSite(): string[] {
  const aside = at('target/test-site');
  mkdirSync(aside, { recursive: true });
  try {
    symlinkSync(at('dist'), `${aside}/dist`);
  } catch (error) {
    // It is there, perhaps since another test file has just made it.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return [at('tests/browser/pages'), aside];
}
