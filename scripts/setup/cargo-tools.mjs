import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../lib/find.mjs';
import { at, cargoBin } from '../lib/paths.mjs';
import { must, run, versionOf } from '../lib/run.mjs';
import { Stop } from '../lib/say.mjs';

/** @typedef {{ name: string, version: string, program: string }} CargoTool */

/** Builds the pinned tools that are missing into .tools/cargo. @param {'start' | 'test'} level @param {(line: string) => void} step */
export async function setUpCargoTools(level, step) {
  const wanted = toolsFor(level);
  const present = await Promise.all(wanted.map((tool) => versionOf(join(cargoBin, tool.program))));
  const missing = wanted.filter((tool, index) => present[index] !== tool.version);
  for (const tool of missing) {
    step(`${tool.name} ${tool.version}: cargo install, some minutes`);
    await install(tool);
  }
  if (missing.length > 0) rmSync(buildFolder, { recursive: true, force: true });
  step(`${wanted.map((tool) => `${tool.name} ${tool.version}`).join(', ')}: there`);
}

const buildFolder = at('.tools/build');

/** @param {'start' | 'test'} level @returns {CargoTool[]} */
function toolsFor(level) {
  /** @type {CargoTool[]} */
  const tools = [{ name: 'wasm-bindgen-cli', version: wasmBindgenVersion(), program: 'wasm-bindgen' }];
  if (level === 'start') return tools;
  tools.push({ name: 'wasm-pack', version: '0.15.1', program: 'wasm-pack' });
  if (!findProgram([process.env.GECKODRIVER])) {
    tools.push({ name: 'geckodriver', version: '0.37.1', program: 'geckodriver' });
  }
  return tools;
}

/** The command line tool must be of the very version of the library. */
function wasmBindgenVersion() {
  const pin = readFileSync(at('Cargo.toml'), 'utf8').match(/^wasm-bindgen\s*=\s*"=([\d.]+)"/m)?.[1];
  if (!pin) throw new Stop('Cargo.toml pins no wasm-bindgen: it needs a line like wasm-bindgen = "=0.2.130"');
  return pin;
}

/**
 * Tries the tool's own lock file first: it can name a dependency that the registry at hand lacks.
 * @param {CargoTool} tool
 */
async function install({ name, version }) {
  const args = ['install', '--root', at('.tools/cargo'), `${name}@${version}`];
  const env = { CARGO_TARGET_DIR: buildFolder };
  const locked = await run('cargo', [...args, '--locked'], { env });
  if (locked.code === 0) return;
  await must(
    `${name} ${version} is missing and could not be built: see the output of cargo install above`,
    'cargo',
    args,
    { env },
  );
}
