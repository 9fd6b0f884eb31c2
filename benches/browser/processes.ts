import { readdirSync, readFileSync } from 'node:fs';

/** The processor time used so far by the servers that this process started, and by its browsers with their drivers; null where there is no /proc. */
export function cpuSeconds(): { server: number; browser: number } | null {
  const processes = list();
  if (!processes) return null;
  const children = new Map<number, Process[]>();
  for (const process of processes) {
    children.set(process.parent, [...(children.get(process.parent) ?? []), process]);
  }
  const total = ({ id, ticks }: Process): number =>
    (children.get(id) ?? []).reduce((sum, child) => sum + total(child), ticks);
  const own = children.get(process.pid) ?? [];
  const secondsOf = (some: Process[]) => some.reduce((sum, process) => sum + total(process), 0) / ticksPerSecond;
  return {
    server: secondsOf(own.filter(isServer)),
    browser: secondsOf(own.filter((process) => !isServer(process))),
  };
}

interface Process {
  readonly id: number;
  readonly parent: number;
  readonly name: string;
  readonly ticks: number;
}

/** The system cuts names to 15 characters. */
const isServer = ({ name }: Process) => 'tabwire-server'.startsWith(name);

function list(): Process[] | null {
  try {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .flatMap((entry) => read(Number(entry)) ?? []);
  } catch {
    return null;
  }
}

/** One process, unless it has ended by now. */
function read(id: number): Process | null {
  try {
    const text = readFileSync(`/proc/${id}/stat`, 'utf8');
    const [name = '', rest = ''] = text.slice(text.indexOf('(') + 1).split(/\)(?=[^)]*$)/);
    const fields = rest.trim().split(' ');
    return { id, name, parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return null;
  }
}

/** What Linux counts these times in, on every machine of today. */
const ticksPerSecond = 100;
