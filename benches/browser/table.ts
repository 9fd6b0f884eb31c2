import { median } from './summary.js';

/** A table, in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return [head, head.map(() => '---'), ...rows].map(line).join('');
}

/** The median of the values and, in brackets, the least and the most of them. */
export function spread(values: readonly number[], format: (value: number) => string): string {
  if (values.length === 0) return '–';
  return `${format(median(values))} (${format(Math.min(...values))}–${format(Math.max(...values))})`;
}

export const fine = (value: number) => value.toFixed(2);

export const whole = (value: number) => Math.round(value).toLocaleString('en').replaceAll(',', ' ');
