import { engineNames, findEngine } from '../lib/engines.mjs';
import { Stop } from '../lib/say.mjs';
import { installPackages } from './packages.mjs';

/**
 * Makes the three engines present: on Debian from its packages, elsewhere by finding what is installed.
 * Each missing piece is one line; without `strict` its suites are left out, with it the run stops.
 * @param {boolean} strict @param {(line: string) => void} step
 */
export async function setUpBrowsers(strict, step) {
  if (missingPieces().length > 0) await installPackages('browsers', packages, step);
  const missing = missingPieces();
  for (const { engine, what, get } of missing) {
    step(`warning: ${what} is missing, so nothing runs in ${engine}: ${get}`);
  }
  if (missing.length > 0 && strict) {
    throw new Stop(`missing: ${missing.map(({ what, get }) => `${what} (${get})`).join('; ')}`);
  }
  step(`engines: ${engineNames.filter((name) => findEngine(name).engine).join(', ') || 'none'}`);
}

const missingPieces = () =>
  engineNames.flatMap((engine) => findEngine(engine).missing.map((piece) => ({ engine, ...piece })));

const packages = [['chromium', 'chromium-driver'], ['firefox-esr'], ['webkit2gtk-driver', 'xvfb']];
