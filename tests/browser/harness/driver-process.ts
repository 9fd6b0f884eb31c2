import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { waitFor } from './wait.js';

/** A running WebDriver server of one engine. */
export interface DriverProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/**
 * Starts a driver on a free loopback port and waits until it answers.
 * What it prints is kept, and shown only when it does not come up.
 */
export async function startDriver(program: string, env: NodeJS.ProcessEnv): Promise<DriverProcess> {
  const port = await freePort();
  const child = spawn(program, [`--port=${port}`], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = `${output}${text}`.slice(-keptOutput);
    });
  }
  const kill = () => void child.kill();
  process.once('exit', kill);
  child.once('error', (error) => {
    output += error.message;
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(`${program} to answer`, () => answers(url), { timeout: 20_000 }).catch((error) => {
    kill();
    throw new Error(`${error.message}\n${output}`);
  });
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      process.off('exit', kill);
      kill();
      await ended(child);
    },
  };
}

/** Resolves when the process is gone. */
export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/status`)).ok;
  } catch {
    return false;
  }
}

const keptOutput = 20_000;
