/**
 * Imports what the command line names while every global that is not of the language says when it is touched, and prints which were.
 * React comes before: it looks at some.
 */
import { runInNewContext } from 'node:vm';
import 'react/jsx-runtime';

const { log } = console;
const [, , ...specifiers] = process.argv;
const language = new Set(runInNewContext('Object.getOwnPropertyNames(globalThis)'));
/** @type {string[]} */
const touched = [];

const ofBrowsers = [
  'window',
  'document',
  'self',
  'location',
  'SharedWorker',
  'Worker',
  'localStorage',
  'addEventListener',
];
for (const name of [...Object.getOwnPropertyNames(globalThis), ...ofBrowsers, 'console']) {
  if (language.has(name) && name !== 'console') continue;
  const value = Reflect.get(globalThis, name);
  const touch = () => {
    touched.push(name);
    return value;
  };
  Object.defineProperty(globalThis, name, { configurable: true, get: touch, set: touch });
}
const before = new Set(Object.getOwnPropertyNames(globalThis));

for (const specifier of specifiers) {
  touched.length = 0;
  await import(specifier);
  const left = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name));
  log(JSON.stringify({ specifier, touched: [...new Set(touched)], left }));
}
