import { readFileSync, writeFileSync } from 'node:fs';
import { Stop } from './say.mjs';

/**
 * Writes lines into a document, in the place of what stands between two marks: `<!-- name: … -->` and `<!-- /name -->`, each on a line of its own.
 * @param {string} document @param {string} name @param {string[]} lines
 */
export function writeBetween(document, name, lines) {
  const text = readFileSync(document, 'utf8');
  const place = new RegExp(`(^<!-- ${name}: .* -->\n)[^]*?(^<!-- /${name} -->$)`, 'm');
  if (!place.test(text)) throw new Stop(`${document} has lost the marks of '${name}'`);
  writeFileSync(
    document,
    text.replace(place, (_, begin, end) => `${begin}${lines.map((line) => `${line}\n`).join('')}${end}`),
  );
}
