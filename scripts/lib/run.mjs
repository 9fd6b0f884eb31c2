import { spawn } from 'node:child_process';
import { delimiter } from 'node:path';
import { at, cargoBin, root } from './paths.mjs';
import { Stop } from './say.mjs';

/**
 * @typedef {object} RunOptions
 * @property {Record<string, string | undefined>} [env] added to the environment
 * @property {string} [cwd] the project's root by default
 * @property {boolean} [show] whether the output is shown as it comes, besides being kept
 */

/** The environment of every child: the project's own tools come first on PATH, and cargo builds into `target`. */
export const toolEnv = () => ({
  ...process.env,
  PATH: [cargoBin, at('node_modules/.bin'), process.env.PATH ?? ''].join(delimiter),
  CARGO_TARGET_DIR: at('target'),
  ...(process.stdout.isTTY ? { FORCE_COLOR: '1', CARGO_TERM_COLOR: 'always' } : {}),
});

/**
 * Runs a program to its end and keeps what it prints.
 * The code is null when the program could not be started, and then the output says why.
 * @param {string} command @param {string[]} args @param {RunOptions} [options]
 * @returns {Promise<{ code: number | null, output: string }>}
 */
export function run(command, args, { env = {}, cwd = root, show = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...toolEnv(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const [stream, sink] of /** @type {const} */ ([
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ])) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        if (show) sink.write(text);
      });
    }
    child.on('error', (error) => resolve({ code: null, output: `${output}${error.message}\n` }));
    child.on('close', (code, signal) => resolve({ code: signal ? 1 : code, output }));
  });
}

/**
 * Runs a program quietly and returns what it printed; when it fails, its output is shown and the run stops with `failure`.
 * @param {string} failure @param {string} command @param {string[]} args @param {RunOptions} [options]
 */
export async function must(failure, command, args, options = {}) {
  const { code, output } = await run(command, args, options);
  if (code === 0) return output;
  if (!options.show) process.stderr.write(output);
  throw new Stop(failure);
}

/** What a program prints about its version, or undefined when it cannot be run. @param {string} command @param {string[]} [args] */
export async function versionOf(command, args = ['--version']) {
  const { code, output } = await run(command, args);
  return code === 0 ? output.match(/\d+\.\d+\.\d+/)?.[0] : undefined;
}
