import { spawn } from 'node:child_process';
import { Stop } from './say.mjs';

/**
 * Starts an X server on a display that it picks itself.
 * @param {string} program the path of Xvfb
 * @returns {Promise<{ display: string, stop: () => void }>} the value for DISPLAY
 */
export function startXvfb(program) {
  const server = spawn(program, ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const stop = () => void server.kill();
  process.once('exit', stop);
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Stop(`Xvfb could not be started: ${error.message}`)));
    server.once('exit', (code) => reject(new Stop(`Xvfb ended with code ${code} before it had a display`)));
    let number = '';
    server.stdio[3]?.on('data', (text) => {
      number += text;
      if (number.endsWith('\n')) resolve({ display: `:${number.trim()}`, stop });
    });
  });
}
