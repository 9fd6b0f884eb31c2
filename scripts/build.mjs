import { buildBundles } from './build/bundles.mjs';
import { reportSizes } from './build/sizes.mjs';
import { buildTypes } from './build/types.mjs';
import { buildWasm } from './build/wasm.mjs';
import { main, say } from './lib/say.mjs';

/** Builds dist from the sources, skips what did not change, and ends with the sizes against their budgets. */
main(async () => {
  /** @param {string} line */
  const step = (line) => say(`build: ${line}`);
  await buildWasm(step);
  await buildBundles(step);
  await buildTypes(step);
  await reportSizes();
});
