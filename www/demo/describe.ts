/** A message made readable. */
export interface Description {
  readonly type: string;
  /** The tab that sent it, where one did. */
  readonly from?: string;
  /** What it says, as text or as named values. */
  readonly text?: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
}

/** Tells what a message of the demo server is about. */
export const describe = (data: unknown): Description => {
  if (typeof data !== 'string') return { type: 'binary', text: `${(data as Blob).size} bytes` };
  const flood = /^(\d+) x*$/.exec(data);
  if (flood) return { type: 'flood', text: `number ${flood[1]}, ${data.length} bytes` };
  const { type: kind, topic, data: body } = parse(data);
  const type = typeof topic === 'string' ? topic : kind;
  if (typeof type !== 'string') return { type: 'text', text: data };
  if (!isRecord(body)) return { type, text: body === undefined ? '' : String(body) };
  if (typeof body.text === 'string') {
    return { type, text: body.text, ...(typeof body.from === 'string' && { from: body.from }) };
  }
  const fields = Object.entries(body)
    .filter(([, value]) => Object(value) !== value)
    .sort(([, one], [, other]) => Number(typeof one === 'number') - Number(typeof other === 'number'))
    .map(
      ([name, value]) =>
        [name.replaceAll('_', ' '), typeof value === 'number' ? value.toLocaleString('en') : String(value)] as const,
    );
  return { type, fields };
};

const parse = (text: string): Record<string, unknown> => {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
};

const isRecord = (value: unknown): value is Record<string, unknown> => Object(value) === value;
