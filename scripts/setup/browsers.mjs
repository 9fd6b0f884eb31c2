import { existsSync, readFileSync } from 'node:fs';
import { getuid } from 'node:process';
import { engineNames, findEngine } from '../lib/engines.mjs';
import { run } from '../lib/run.mjs';
import { Stop } from '../lib/say.mjs';

/**
 * Makes the three engines present: on Debian from its packages, elsewhere by finding what is installed.
 * Each missing piece is one line; without `strict` its suites are left out, with it the run stops.
 * @param {boolean} strict @param {(line: string) => void} step
 */
export async function setUpBrowsers(strict, step) {
  if (missingPieces().length > 0 && isDebian()) await installPackages(step);
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

const isDebian = () =>
  existsSync('/etc/os-release') && /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));

/** Ubuntu has no firefox-esr, so one unknown package must not keep the others from being installed. @param {(line: string) => void} step */
async function installPackages(step) {
  const sudo = getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && (await run('sudo', ['-n', 'true'])).code !== 0) return;
  const [command, ...prefix] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  step('browsers: apt-get update');
  await run(command, [...prefix, 'update']);
  for (const group of packages) {
    step(`browsers: apt-get install ${group.join(' ')}`);
    const { code, output } = await run(command, [...prefix, 'install', '-y', '--no-install-recommends', ...group]);
    if (code !== 0) process.stderr.write(output);
  }
}

const packages = [['chromium', 'chromium-driver'], ['firefox-esr'], ['webkit2gtk-driver', 'xvfb']];
