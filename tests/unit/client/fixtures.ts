import options from '../../fixtures/options.json';
import messages from '../../fixtures/protocol/messages.json';

/** A message as the fixtures write it. */
export interface Example {
  from: 'tab' | 'hub';
  name: string;
  wire: [number, ...unknown[]];
}

/** The examples of every message. */
export const examples = messages as unknown as Example[];

/** Options, and the name of the one that is bad; some only one side looks at. */
export const optionCases = options as { options: object; error: string | null; rustOnly?: true }[];

/** What is wrong with a message of a tab: an item that is like none that the examples of its op have in that place. */
export function faultOf(message: readonly unknown[]): string | undefined {
  const known = examples.filter(({ from, wire }) => from === 'tab' && wire[0] === message[0]).map(({ wire }) => wire);
  const longest = Math.max(...known.map(({ length }) => length), message.length);
  for (let place = 0; place < longest; place++) {
    const kind = kindOf(message[place]);
    if (known.some((wire) => kindOf(wire[place]) === kind)) continue;
    return `${JSON.stringify(message)} has at ${place} what none of ${JSON.stringify(known)} has`;
  }
  return undefined;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object') return typeof value;
  // What options there are is the matter of options.json.
  const { options: _, breaker: __, ...described } = value as Record<string, unknown>;
  const fields = Object.entries(described).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${name}:${kindOf(field)}`).sort()}}`;
}
