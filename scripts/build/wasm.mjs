import { mkdirSync } from 'node:fs';
import { must } from '../lib/run.mjs';
import { hashOf, isFresh, setFresh } from '../lib/stamp.mjs';
import { rustInputs } from './inputs.mjs';

/**
 * Compiles the hub to dist/hub.wasm, and its glue, which `#glue` means, to target/glue/hub.js.
 * The glue never guesses where the wasm lies: the worker hands it over.
 * @param {(line: string) => void} step
 */
export async function buildWasm(step) {
  const key = hashOf(rustInputs);
  const outputs = ['dist/hub.wasm', 'target/glue/hub.js', 'target/glue/hub.d.ts'];
  if (isFresh('wasm', key, outputs)) return step('hub.wasm is up to date');

  step('hub.wasm: cargo build --release, wasm-bindgen, wasm-opt');
  await must('the hub does not compile: see the output of cargo build above', 'cargo', [
    'build',
    '--release',
    '--lib',
    '--package=tabwire',
    '--target=wasm32-unknown-unknown',
  ]);
  await must('wasm-bindgen failed: see its output above', 'wasm-bindgen', [
    '--target=web',
    '--omit-default-module-path',
    '--experimental-reset-state-function',
    '--out-dir=target/glue',
    '--out-name=hub',
    'target/wasm32-unknown-unknown/release/tabwire.wasm',
  ]);
  mkdirSync('dist', { recursive: true });
  await must('wasm-opt failed: see its output above', 'wasm-opt', [
    '-Oz',
    '--converge',
    // Large functions stay apart: their locals would get longer numbers together, and gzip gains 6 %.
    '--one-caller-inline-max-function-size=20',
    '--strip-producers',
    '--strip-target-features',
    ...features.map((feature) => `--enable-${feature}`),
    'target/glue/hub_bg.wasm',
    '--output=dist/hub.wasm',
  ]);
  setFresh('wasm', key);
}

/** What rustc emits and every engine with a module SharedWorker has; wasm-opt may use nothing beyond. */
const features = [
  'bulk-memory',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
];
