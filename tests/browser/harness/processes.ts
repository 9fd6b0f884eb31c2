import { readdirSync, readFileSync } from 'node:fs';
import { kill } from 'node:process';

/**
 * The processes of one browser: everything that descends from its driver, as /proc tells it (Linux only).
 * Nothing stays stopped or unnoticed: `release` lets all go on.
 */
export class Processes {
  readonly #driver: number;
  readonly #stopped = new Set<number>();

  constructor(driver: number) {
    this.#driver = driver;
  }

  /** Those of pages that have a thread of that name now, with how many; the kernel keeps 15 characters of a name. */
  withThread(name: RegExp): Map<number, number> {
    const found = new Map<number, number>();
    for (const pid of this.#all().filter(isOfPages)) {
      const count = threadNames(pid).filter((thread) => name.test(thread)).length;
      if (count > 0) found.set(pid, count);
    }
    return found;
  }

  /** Stops a process where it is (SIGSTOP). */
  stop(pid: number): void {
    kill(pid, 'SIGSTOP');
    this.#stopped.add(pid);
  }

  /** Lets a stopped process go on. */
  resume(pid: number): void {
    this.#stopped.delete(pid);
    signal(pid, 'SIGCONT');
  }

  /** Ends a process as a crash does. */
  kill(pid: number): void {
    this.#stopped.delete(pid);
    kill(pid, 'SIGKILL');
  }

  /** Stops the whole browser, parents first; the driver runs on. */
  stopAll(): void {
    for (const pid of this.#all()) this.stop(pid);
  }

  /** Lets everything go on. */
  release(): void {
    for (const pid of [...this.#stopped].reverse()) this.resume(pid);
  }

  #all(): number[] {
    const children = new Map<number, number[]>();
    for (const [pid, parent] of parents()) children.set(parent, [...(children.get(parent) ?? []), pid]);
    const found = [...(children.get(this.#driver) ?? [])];
    for (const pid of found) found.push(...(children.get(pid) ?? []));
    return found;
  }
}

function* parents(): Generator<[pid: number, parent: number]> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    // The second field is the name, in brackets, which may hold anything.
    const fields = read(`/proc/${name}/stat`)
      ?.replace(/^.*\) /s, '')
      .split(' ');
    if (fields && fields[0] !== 'Z') yield [Number(name), Number(fields[1])];
  }
}

/** Whether pages run in a process: Firefox's own workers run elsewhere. */
const isOfPages = (pid: number) => /--type=renderer|-contentproc.* tab$|WebKitWebProcess/.test(commandOf(pid));

const commandOf = (pid: number) => read(`/proc/${pid}/cmdline`)?.split('\0').join(' ').trim() ?? '';

function threadNames(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map((task) => read(`/proc/${pid}/task/${task}/comm`)?.trim() ?? '');
  } catch {
    return [];
  }
}

/** A file of /proc, unless its process has just ended. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The process may have ended while it was stopped. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    kill(pid, name);
  } catch {}
}
