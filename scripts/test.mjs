import { argv } from 'node:process';
import { engineNames } from './lib/engines.mjs';
import { duration, main, Stop, say } from './lib/say.mjs';
import { setup } from './setup.mjs';
import { steps } from './test/steps.mjs';

/**
 * Sets up and runs every check and test, or those named: `npm test -- browser chromium` runs the browser suite in Chromium.
 * Stops at the first failing step, unless told to `--keep-going`; the last line counts what passed and failed.
 */
main(async () => {
  const { chosen, engines, keepGoing } = readWords(argv.slice(2));
  const began = performance.now();
  await setup('test');

  /** @type {string[]} */
  const summary = [];
  const total = { passed: 0, failed: 0 };
  for (const step of chosen) {
    if (total.failed > 0 && !keepGoing) {
      summary.push(`not run  ${step.name}`);
      continue;
    }
    say(`\n── ${step.name}: ${step.what}`);
    const start = performance.now();
    const { passed, failed, note = '' } = await step.run(engines);
    total.passed += passed;
    total.failed += failed;
    const line = `${step.name.padEnd(12)}${duration(performance.now() - start).padStart(12)}   ${passed} passed, ${failed} failed${note}`;
    summary.push(`${failed > 0 ? 'FAILED   ' : 'ok       '}${line}`);
    say(summary.at(-1) ?? '');
  }
  say(`\n${summary.join('\n')}\nin ${duration(performance.now() - began)}\n`);
  say(`${total.passed} passed, ${total.failed} failed`);
  if (total.failed > 0) process.exitCode = 1;
});

/**
 * Which steps and engines the command line names; all of those that it names none of.
 * What a step builds on comes along.
 * @param {string[]} words
 */
function readWords(words) {
  const names = words.filter((word) => word !== '--keep-going');
  const engines = engineNames.filter((name) => names.includes(name));
  const stepNames = names.filter((name) => !engines.some((engine) => engine === name));
  const unknown = stepNames.find((name) => !steps.some((step) => step.name === name));
  if (unknown) {
    const known = [...steps.map(({ name }) => name), ...engineNames].join(', ');
    throw new Stop(`there is no test '${unknown}': take any of ${known}`);
  }
  const byDefault = steps.filter((step) => !step.onlyWhenNamed && (engines.length === 0 || step.inEngines));
  const named = stepNames.length > 0 ? steps.filter((step) => stepNames.includes(step.name)) : byDefault;
  return {
    chosen: steps.filter((step) => named.includes(step) || named.some(({ needs }) => needs?.includes(step.name))),
    engines: engines.length > 0 ? engines : engineNames,
    keepGoing: words.includes('--keep-going'),
  };
}
