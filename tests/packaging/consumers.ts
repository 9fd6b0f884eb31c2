/** An app that has the package installed with one set of tools. */
export interface Consumer {
  /** As the command line names it. */
  readonly name: string;
  /** As the table names it, before the version of the first of the tools. */
  readonly title: string;
  /** What is checked by `npm test`, too. */
  readonly quick?: boolean;
  /** The folders of `apps` that it is made of: a later one takes the place of what it shares with an earlier. */
  readonly app: readonly string[];
  /** What is installed besides the package, pinned. The first is the one that the table is about. */
  readonly tools: Readonly<Record<string, string>>;
  /** The ways in which its page comes about. */
  readonly cells: readonly Cell[];
}

export interface Cell {
  /** Which way, as the table names it. */
  readonly way: string;
  /** A program of `node_modules/.bin`, or `node`, with its arguments: it builds, or it serves and prints where. */
  readonly command?: readonly [string, ...string[]];
  /** The folder that is served, unless the command does that. */
  readonly site?: string;
  /** Copies of the wasm in the output, as files and inside of a script; one file by default. */
  readonly wasm?: { readonly files: number; readonly inlined: number };
  /** What the app has to say, beyond an import. In Markdown. */
  readonly takes: string;
}

const nothing = 'nothing';
const react = { react: '19.3.1', 'react-dom': '19.3.1', '@types/react': '19.3.0', '@types/react-dom': '19.3.0' };
const vite = ['vite', '--host', '127.0.0.1'] as const;

/** Every consumer, in the order of the table. */
export const consumers: readonly Consumer[] = [
  ...['5.4.21', '6.4.6', '7.3.8'].map((version) => ({
    name: `vite-${version[0]}`,
    title: 'Vite',
    app: ['page', 'vite-exclude'],
    tools: { vite: version },
    cells: [
      { way: 'dev', command: vite, takes: "`optimizeDeps: { exclude: ['tabwire'] }`" },
      { way: 'build', command: ['vite', 'build'], site: 'dist', takes: nothing },
    ] satisfies Cell[],
  })),
  {
    name: 'vite-7-inline',
    title: 'Vite',
    app: ['page', 'vite-inline'],
    tools: { vite: '7.3.8' },
    cells: [
      {
        way: 'dev, `worker.inline.js`',
        command: vite,
        takes: "no configuration, but `import workerUrl from 'tabwire/worker.inline.js?url'` and `host: { workerUrl }`",
      },
      {
        way: 'build, `worker.inline.js`',
        command: ['vite', 'build'],
        site: 'dist',
        wasm: { files: 1, inlined: 1 },
        takes: 'the same; the build has `hub.wasm` as well, which nobody fetches',
      },
    ],
  },
  {
    name: 'vite-8',
    title: 'Vite',
    quick: true,
    app: ['vite-react'],
    tools: { vite: '8.3.8', '@vitejs/plugin-react': '6.3.0', ...react },
    cells: [
      { way: 'dev', command: vite, takes: nothing },
      { way: 'build', command: ['vite', 'build'], site: 'dist', takes: nothing },
    ],
  },
  {
    name: 'webpack-5',
    title: 'webpack',
    quick: true,
    app: ['page', 'webpack'],
    tools: { webpack: '5.113.0', 'webpack-cli': '6.0.1' },
    cells: [{ way: 'build', command: ['webpack', 'build'], site: 'dist', takes: nothing }],
  },
  {
    name: 'rspack',
    title: 'Rspack',
    app: ['page', 'rspack'],
    tools: { '@rspack/core': '2.3.4', '@rspack/cli': '2.2.8' },
    cells: [{ way: 'build', command: ['rspack', 'build'], site: 'dist', takes: nothing }],
  },
  {
    name: 'esbuild',
    title: 'esbuild',
    app: ['page', 'esbuild'],
    tools: { esbuild: '0.28.2', typescript: '5.2.2' },
    cells: [
      {
        way: 'build',
        command: ['node', 'build.js'],
        site: 'dist',
        takes:
          "`dist/worker.js` and `dist/hub.wasm` copied, `host: { workerUrl: '/tabwire-worker.js', wasmUrl: '/tabwire-hub.wasm' }`",
      },
    ],
  },
  {
    name: 'rollup',
    title: 'Rollup',
    app: ['page', 'rollup'],
    tools: { rollup: '4.68.8', '@rollup/plugin-node-resolve': '16.0.3', typescript: '5.9.3' },
    cells: [
      {
        way: 'build',
        command: ['rollup', '-c'],
        site: 'dist',
        wasm: { files: 0, inlined: 1 },
        takes: "`dist/worker.inline.js` copied, `host: { workerUrl: '/worker.inline.js' }`",
      },
    ],
  },
  {
    name: 'parcel',
    title: 'Parcel',
    app: ['page'],
    tools: { parcel: '2.16.4' },
    cells: [
      { way: 'dev', command: ['parcel', 'serve', 'index.html', '--host', '127.0.0.1'], takes: nothing },
      {
        way: 'build',
        command: ['parcel', 'build', 'index.html', '--dist-dir', 'build'],
        site: 'build',
        takes: nothing,
      },
    ],
  },
  {
    name: 'next-16',
    title: 'Next',
    app: ['next'],
    tools: { next: '16.4.6', ...react, typescript: '5.9.3', '@types/node': '20.19.43' },
    cells: [
      { way: 'dev, Turbopack', command: ['next', 'dev', '--hostname', '127.0.0.1'], takes: nothing },
      { way: 'dev, webpack', command: ['next', 'dev', '--webpack', '--hostname', '127.0.0.1'], takes: nothing },
      { way: 'build, Turbopack', command: ['next', 'build'], site: 'out', takes: nothing },
      { way: 'build, webpack', command: ['next', 'build', '--webpack'], site: 'out', takes: nothing },
    ],
  },
  {
    name: 'plain',
    title: 'plain module script',
    quick: true,
    app: ['page', 'plain'],
    tools: {},
    cells: [
      {
        way: 'as it is',
        wasm: { files: 1, inlined: 1 },
        site: '.',
        takes: 'the folder `dist` served as it is, and an import map',
      },
    ],
  },
];
