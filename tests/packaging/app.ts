import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { at } from '../../scripts/lib/paths.mjs';
import { run, toolEnv } from '../../scripts/lib/run.mjs';
import { ended } from '../browser/harness/driver-process.js';
import type { Cell, Consumer } from './consumers.js';
import { npm } from './packed.js';

/** An app outside of the repository, where nothing is found but what it has installed. */
export interface App {
  readonly folder: string;
  remove(): Promise<void>;
}

/** Installs the packed package and a consumer's tools into a copy of its app. */
export async function installApp({ app, tools }: Pick<Consumer, 'app' | 'tools'>, tarball: string): Promise<App> {
  const folder = await mkdtemp(join(tmpdir(), 'tabwire-app-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    for (const part of app) await cp(at('tests/packaging/apps', part), folder, { recursive: true });
    const description = { private: true, type: 'module', dependencies: { tabwire: `file:${tarball}`, ...tools } };
    await writeFile(join(folder, 'package.json'), JSON.stringify(description));
    await npm(folder, 'install', '--ignore-scripts', '--prefer-offline', '--no-package-lock');
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Checks the types of an app, with its own compiler if it has one. */
export function checkTypes({ folder }: App, project = 'tsconfig.json'): Promise<void> {
  const own = join(folder, 'node_modules/.bin/tsc');
  return finish(folder, existsSync(own) ? own : at('node_modules/.bin/tsc'), '--project', project);
}

/** Builds an app, and resolves to the folder that is to be served: with the page as it is, if the tool makes only scripts. */
export async function buildApp({ folder }: App, { command, site = '' }: Cell): Promise<string> {
  const output = join(folder, site);
  if (!command) return output;
  await rm(output, { recursive: true, force: true });
  await finish(folder, ...programOf(folder, command));
  if (!existsSync(join(output, 'index.html'))) await cp(join(folder, 'index.html'), join(output, 'index.html'));
  return output;
}

/** Starts the server of an app's tool, and resolves to its url once it says that. */
export async function serveApp({ folder }: App, command: NonNullable<Cell['command']>) {
  const [program, ...args] = programOf(folder, command);
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...toolEnv(), ...plainly },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const url = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with code ${code}:\n${said}`)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        said += text;
        const [url] = said.match(/http:\/\/127\.0\.0\.1:\d+/) ?? [];
        if (url) resolve(url);
      });
    }
  });
  return {
    url,
    async stop() {
      child.kill();
      await ended(child);
    },
  };
}

/** How often a site holds the wasm: as a file of its own, and inside of a script. */
export async function wasmIn(site: string): Promise<{ files: number; inlined: number }> {
  const entries = await readdir(site, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const inside = readFileSync(at('dist/worker.inline.js'), 'utf8').match(/[\w+/]{1000}/)?.[0];
  if (!inside) throw new Error('worker.inline.js has no wasm inside');
  return {
    files: files.filter((name) => name.endsWith('.wasm')).length,
    inlined: files.filter((name) => /\.m?js$/.test(name) && readFileSync(name, 'utf8').includes(inside)).length,
  };
}

/** Tests and their tools run apart: the one's environment is nothing to the other. */
const plainly = { NODE_ENV: undefined, VITEST: undefined, NO_COLOR: '1', CI: 'true', NEXT_TELEMETRY_DISABLED: '1' };

function programOf(folder: string, [program, ...args]: NonNullable<Cell['command']>): [string, ...string[]] {
  return [program === 'node' ? process.execPath : join(folder, 'node_modules/.bin', program), ...args];
}

async function finish(cwd: string, program: string, ...args: string[]): Promise<void> {
  const { code, output } = await run(program, args, { cwd, env: plainly });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed:\n${output}`);
}
