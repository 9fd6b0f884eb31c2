import { existsSync, readFileSync } from 'node:fs';
import { versions } from 'node:process';
import { at } from '../lib/paths.mjs';
import { must, run, versionOf } from '../lib/run.mjs';
import { Stop } from '../lib/say.mjs';

const target = 'wasm32-unknown-unknown';

/** Checks Node, npm, cargo and rustc against the versions that package.json and Cargo.toml ask for. @param {(line: string) => void} step */
export async function checkPrograms(step) {
  const wantedNode = JSON.parse(readFileSync(at('package.json'), 'utf8')).devEngines.runtime.version.replace('>=', '');
  const wantedRust = readFileSync(at('Cargo.toml'), 'utf8').match(/^rust-version = "(.+)"/m)?.[1] ?? '0';
  if (!atLeast(versions.node, wantedNode)) {
    throw new Stop(`Node ${versions.node} is too old: install Node ${wantedNode} or newer`);
  }
  const [npm, cargo, rustc] = await Promise.all(['npm', 'cargo', 'rustc'].map((name) => versionOf(name)));
  if (!npm) throw new Stop(`npm is missing: install it with Node ${wantedNode} or newer`);
  if (!cargo || !rustc) throw new Stop(`Rust is missing: install Rust ${wantedRust} or newer with rustup`);
  if (!atLeast(rustc, wantedRust)) {
    throw new Stop(`Rust ${rustc} is too old: install Rust ${wantedRust} or newer (rustup update)`);
  }
  step(`node ${versions.node}, npm ${npm}, rust ${rustc}`);
}

/** Adds the wasm target, and for tests checks rustfmt and clippy. @param {'start' | 'test'} level @param {(line: string) => void} step */
export async function setUpRust(level, step) {
  if (!(await hasTarget())) {
    step(`rust target ${target}: adding it`);
    await must(`the Rust target ${target} is missing and could not be added: rustup target add ${target}`, 'rustup', [
      'target',
      'add',
      target,
    ]);
  }
  if (level === 'test') {
    const tools = await Promise.all(['fmt', 'clippy'].map((name) => versionOf('cargo', [name, '--version'])));
    if (tools.includes(undefined)) {
      throw new Stop('rustfmt or clippy is missing: rustup component add rustfmt clippy');
    }
  }
  step(`rust target ${target} is there`);
}

async function hasTarget() {
  const { code, output } = await run('rustc', ['--print', 'target-libdir', '--target', target]);
  return code === 0 && existsSync(output.trim());
}

/** Compares dotted numbers. @param {string} have @param {string} want */
function atLeast(have, want) {
  return have.localeCompare(want, 'en', { numeric: true }) >= 0;
}
