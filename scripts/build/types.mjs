import { rmSync } from 'node:fs';
import { at } from '../lib/paths.mjs';
import { must } from '../lib/run.mjs';
import { hashOf, isFresh, setFresh } from '../lib/stamp.mjs';
import { pageInputs } from './inputs.mjs';

/** Emits the declarations of the public entries into dist/types. @param {(line: string) => void} step */
export async function buildTypes(step) {
  const key = hashOf([...pageInputs, 'target/glue/hub.d.ts']);
  const outputs = ['www/client/index', 'www/react/index', 'www/testing/index', 'worker/entry'].map(
    (entry) => `dist/types/${entry}.d.ts`,
  );
  if (isFresh('types', key, outputs)) return step('types are up to date');
  step('types: tsc');
  rmSync(at('dist/types'), { recursive: true, force: true });
  const failure = 'the declarations could not be made: see the output of tsc above';
  await must(failure, 'tsc', ['--project', 'tsconfig.types.json']);
  await must(failure, 'tsc', ['--project', 'tsconfig.worker.json', ...declarationsOnly]);
  setFresh('types', key);
}

const declarationsOnly = [
  ['--noEmit', 'false'],
  ['--declaration', 'true'],
  ['--emitDeclarationOnly', 'true'],
  ['--rootDir', '.'],
  ['--outDir', 'dist/types'],
].flat();
