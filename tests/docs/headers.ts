/** What is wrong with a line of HTTP headers, if something is; of a policy also with its directives. */
export function faultOfHeader(line: string): string | undefined {
  const [, name = '', value = ''] = /^([\w-]+): (.+)$/.exec(line) ?? [];
  if (name === '') return `'${line}' is no header`;
  if (name !== 'Content-Security-Policy') return undefined;
  const unknown = value.split(/; ?/).find((directive) => !directives.includes(directive.split(' ')[0] ?? ''));
  return unknown === undefined ? undefined : `there is no directive '${unknown}'`;
}

const directives = [
  'default-src',
  'script-src',
  'style-src',
  'worker-src',
  'connect-src',
  'require-trusted-types-for',
  'trusted-types',
];
