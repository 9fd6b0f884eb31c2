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

/** What is wrong with a message of a tab, by the examples of its op; nothing, if one of them has its shape. */
export function faultOf(message: readonly unknown[]): string | undefined {
  const known = examples.filter(({ from, wire }) => from === 'tab' && wire[0] === message[0]);
  if (known.some(({ wire }) => shapeOf(wire) === shapeOf(message))) return undefined;
  return `${JSON.stringify(message)} is like none of ${known.map(({ wire }) => JSON.stringify(wire)).join(' ')}`;
}

/** The kinds of the items, and of the fields of those that are described field by field. */
function shapeOf(message: readonly unknown[]): string {
  const items = message.map(kindOf);
  while (items.length > 1 && items.at(-1) === 'nothing') items.pop();
  return items.join(' ');
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'array';
  if (typeof value !== 'object') return typeof value;
  // What `options` holds is the matter of options.json.
  const { options: _, ...described } = value as Record<string, unknown>;
  const fields = Object.entries(described).filter(([, field]) => field !== undefined);
  return `{${fields.map(([name, field]) => `${name}:${kindOf(field)}`).sort()}}`;
}
