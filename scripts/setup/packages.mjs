import { existsSync, readFileSync } from 'node:fs';
import { getuid } from 'node:process';
import { run } from '../lib/run.mjs';

/**
 * Installs packages of Debian, where this is Debian and it may be done. Ubuntu lacks some that Debian has,
 * so each group is installed alone: one unknown package must not keep the others from being installed.
 * @param {string} what @param {string[][]} groups @param {(line: string) => void} step
 */
export async function installPackages(what, groups, step) {
  if (!isDebian()) return;
  const sudo = getuid?.() === 0 ? [] : ['sudo', '-n'];
  if (sudo.length > 0 && (await run('sudo', ['-n', 'true'])).code !== 0) return;
  const [command, ...prefix] = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  step(`${what}: apt-get update`);
  await run(command, [...prefix, 'update']);
  for (const group of groups) {
    step(`${what}: apt-get install ${group.join(' ')}`);
    const { code, output } = await run(command, [...prefix, 'install', '-y', '--no-install-recommends', ...group]);
    if (code !== 0) process.stderr.write(output);
  }
}

const isDebian = () =>
  existsSync('/etc/os-release') && /^ID(_LIKE)?=.*debian/m.test(readFileSync('/etc/os-release', 'utf8'));
