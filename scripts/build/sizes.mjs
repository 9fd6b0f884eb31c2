import { existsSync, readFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { at, root } from '../lib/paths.mjs';
import { main, Stop, say } from '../lib/say.mjs';

/** Prints what a user downloads, after gzip -9, and stops when a budget of scripts/budgets.json is broken. */
export async function reportSizes() {
  if (!existsSync(at('dist/index.js'))) throw new Stop('there is nothing to measure: run `npm run build` first');
  const rows = await sizesOf();
  const budgets = JSON.parse(readFileSync(at('scripts/budgets.json'), 'utf8'));
  say('\n  min + gzip -9, in bytes');
  for (const [what, size] of Object.entries(rows)) {
    say(`  ${what.padEnd(48)}${String(size).padStart(7)}${budgets[what] ? `  of ${budgets[what]}` : ''}`);
  }
  say('');
  const broken = Object.entries(budgets).filter(([what, budget]) => !((rows[what] ?? Infinity) <= budget));
  if (broken.length > 0) {
    throw new Stop(
      broken.map(([what, budget]) => `${what} is ${rows[what]} bytes, over its budget of ${budget}`).join('; '),
    );
  }
}

/** What a user downloads, in bytes after gzip -9. @returns {Promise<Record<string, number>>} */
export async function sizesOf() {
  const wasm = gzipped(readFileSync(at('dist/hub.wasm')));
  const worker = gzipped(readFileSync(at('dist/worker.js')));
  const life = await bundled("export * from './dist/life.js'");
  const lead = await bundled("export * from './dist/lead.js'");
  const answers = await bundled("export * from './dist/answers.js'");
  const topics = await bundled("export * from './dist/topics.js'");
  // All hooks of the adapter need no more of the page side than this.
  const page = "export { SharedWebSocket, CircuitBreaker } from './dist/index.js'";
  const pageAndReact = await bundled(`${page}; export * from './dist/react.js'`);
  const observe = await bundled("export * from './dist/observe.js'");
  return {
    "import { SharedWebSocket } from 'tabwire'": await bundled("export { SharedWebSocket } from './dist/index.js'"),
    'life.js, loaded while the worker starts': life,
    'lead.js, only where there is no SharedWorker': lead,
    'answers.js, only for tokens and function urls': answers,
    'topics.js, only for subprotocols other than raw': topics,
    'observe.js, only for reports, metrics and inspect': observe,
    "everything from 'tabwire'": await bundled("export * from './dist/index.js'"),
    "'tabwire/react', all of it, beside 'tabwire'": pageAndReact - (await bundled(page)),
    'local.js, only where the page hosts the hub': gzipped(readFileSync(at('dist/local.js'))),
    'hub.wasm': wasm,
    'worker.js, the glue in it': worker,
    'hub.wasm + worker.js': wasm + worker,
    'worker.inline.js, the wasm in it': gzipped(readFileSync(at('dist/worker.inline.js'))),
  };
}

/** The size of what a user's bundler makes of that module. @param {string} contents */
async function bundled(contents) {
  const { build } = await import('esbuild');
  const {
    outputFiles: [file],
  } = await build({
    stdin: { contents, resolveDir: root },
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    minify: true,
    plugins: [apart],
  });
  return gzipped(file?.contents ?? new Uint8Array());
}

/** @type {import('esbuild').Plugin} React and the sibling files are downloads of their own. */
const apart = {
  name: 'apart',
  setup(build) {
    build.onResolve({ filter: /^(react|\.\/(life|lead|answers|topics|observe|local)\.js$)/ }, ({ path }) => ({
      path,
      external: true,
    }));
  },
};

/** @param {Uint8Array} bytes */
const gzipped = (bytes) => gzipSync(bytes, { level: 9 }).length;

if (argv[1] === fileURLToPath(import.meta.url)) main(reportSizes);
