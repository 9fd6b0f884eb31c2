import { readFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import { at, root } from '../lib/paths.mjs';
import { Stop } from '../lib/say.mjs';
import { hashOf, isFresh, setFresh } from '../lib/stamp.mjs';
import { buildName, pageInputs } from './inputs.mjs';

/**
 * Bundles worker, page side and React adapter into dist, each file of it as one ES module, and checks that they kept the shape that bundlers and browsers need.
 * @param {(line: string) => void} step
 */
export const buildBundles = (step) => bundle(step, Object.keys(bundles), 'dist', buildName());

/**
 * Bundles what a page needs, but neither React nor what has the wasm inside, into another folder under the name of another version.
 * @param {(line: string) => void} step @param {string} folder @param {string} version
 */
export const buildVariant = (step, folder, version) =>
  bundle(
    step,
    Object.keys(bundles).filter((file) => !['react.js', 'testing.js', 'worker.inline.js'].includes(file)),
    folder,
    buildName(version),
  );

/** @param {(line: string) => void} step @param {string[]} files @param {string} folder @param {string} name */
async function bundle(step, files, folder, name) {
  const key = hashOf([...pageInputs, 'target/glue/hub.js'], [name]);
  const stamp = `bundles-${folder.replaceAll('/', '-')}`;
  const outputs = files.flatMap((file) => [`${folder}/${file}`, `${folder}/${file}.map`]);
  if (isFresh(stamp, key, outputs)) return step(`bundles of ${name} are up to date`);
  step(`bundles of ${name}: ${files.join(', ')}`);
  const { build } = await import('esbuild');
  for (const file of files) {
    const { entry, minify, inline } = /** @type {Bundle} */ (bundles[file]);
    const result = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile: `${folder}/${file}`,
      bundle: true,
      format: 'esm',
      target: 'es2022',
      minify,
      sourcemap: 'linked',
      legalComments: 'none',
      jsx: 'automatic',
      external: ['react', 'react/jsx-runtime'],
      loader: { '.wasm': 'binary' },
      define: { __BUILD__: JSON.stringify(name), __WASM__: inline ? JSON.stringify(deflated(inline)) : 'undefined' },
      plugins: [seams(entry)],
      metafile: true,
    }).catch(() => {
      throw new Stop(`${entry} could not be bundled: see the errors above`);
    });
    checkShape(file, folder, Object.keys(result.metafile.inputs));
  }
  setFresh(stamp, key);
}

/**
 * @typedef {object} Bundle
 * @property {string} entry
 * @property {boolean} minify the page side is left readable: a user's bundler shakes and minifies it
 * @property {string} [inline] the wasm that it has inside
 * @property {RegExp[]} [literals] what must stay whole and literal
 * @property {RegExp} [no] an expression that it must not hold
 * @property {RegExp} [without] what it must not hold a copy of
 */

/** How the worker names the wasm: bundlers find it by that. */
const besideIt = /new URL\("\.\/hub\.wasm",import\.meta\.url\)/;

/** @type {Record<string, Bundle>} */
const bundles = {
  'worker.js': { entry: 'worker/entry.ts', minify: true, literals: [besideIt], without: /^www\/react\// },
  // A bundler that saw a path of the wasm in it would emit that a second time.
  'worker.inline.js': { entry: 'worker/entry.ts', minify: true, inline: 'dist/hub.wasm', no: /hub\.wasm/ },
  'local.js': { entry: 'worker/local.ts', minify: true, without: /^www\/react\// },
  'index.js': {
    entry: 'www/client/index.ts',
    minify: false,
    literals: [
      /new SharedWorker\(new URL\((["'])\.\/worker\.js\1, import\.meta\.url\), \{/,
      /import\((["'])\.\/life\.js\1\)/,
      /import\((["'])\.\/topics\.js\1\)/,
      /import\((["'])\.\/observe\.js\1\)/,
    ],
    without:
      /^(worker\/(entry|host|local)\.ts|www\/client\/(life|seek|ladder|answers|topics|observe|reports|metrics|inspect|log)\.ts|target\/)/,
  },
  'life.js': {
    entry: 'www/client/life.ts',
    minify: false,
    literals: [
      /new Worker\(new URL\((["'])\.\/worker\.js\1, import\.meta\.url\), \{/,
      /import\((["'])\.\/local\.js\1\)/,
      /import\((["'])\.\/answers\.js\1\)/,
      /import\((["'])\.\/lead\.js\1\)/,
    ],
    without: /^(worker\/|www\/client\/(client|connect|socket|handle|options|answers|topics|lead)\.ts|target\/)/,
  },
  'lead.js': { entry: 'www/client/lead.ts', minify: false, without: /^(?!www\/client\/(lead|deadline|protocol)\.ts)/ },
  'answers.js': { entry: 'www/client/answers.ts', minify: false, without: /^(?!www\/client\/(answers|address)\.ts)/ },
  'topics.js': {
    entry: 'www/client/topics.ts',
    minify: false,
    without: /^(?!www\/client\/(topics|cue|protocol|deadline)\.ts)/,
  },
  'observe.js': {
    entry: 'www/client/observe.ts',
    minify: false,
    without: /^(?!www\/client\/(observe|reports|metrics|inspect|log|cue|protocol|errors)\.ts)/,
  },
  'testing.js': {
    entry: 'www/testing/index.ts',
    minify: true,
    without: /^www\/(react\/|client\/(client|connect|socket|handle|life|answers|topics|lead)\.ts)/,
  },
  'react.js': {
    entry: 'www/react/index.ts',
    minify: false,
    // Server components may import what holds hooks only from a file that begins so.
    literals: [/^(["'])use client\1;/],
    without: /^(www\/client|worker|target)\//,
  },
};

/**
 * Resolves what crosses from one bundle to another to the file that stands beside it in dist, `#glue` to the generated glue, and `#wasm` to the hub.
 * @param {string} entry
 * @returns {import('esbuild').Plugin}
 */
const seams = (entry) => ({
  name: 'seams',
  setup(build) {
    build.onResolve({ filter: /^#glue$/ }, () => ({ path: at('target/glue/hub.js') }));
    // The bytes themselves: unit tests run where nothing can be fetched.
    build.onResolve({ filter: /^#wasm$/ }, () => ({ path: at('dist/hub.wasm') }));
    build.onResolve(
      { filter: /\/(local|life|lead|answers|topics|observe|index)\.js$/ },
      async ({ path, pluginData, ...rest }) => {
        if (pluginData === resolving) return undefined;
        const found = await build.resolve(path, { ...rest, pluginData: resolving });
        const sibling = Object.entries(bundles).find(
          ([, bundle]) => bundle.entry !== entry && found.path === at(bundle.entry),
        );
        return sibling ? { path: `./${sibling[0]}`, external: true } : found;
      },
    );
  },
});

const resolving = Symbol('resolving');

/** A file as `worker/wasm.ts` inflates it. @param {string} file */
const deflated = (file) => deflateSync(readFileSync(at(file)), { level: 9 }).toString('base64');

/**
 * Stops the build when a bundle lost an expression that must stay literal, or swallowed what it must not hold.
 * @param {string} file @param {string} folder @param {string[]} inputs
 */
function checkShape(file, folder, inputs) {
  const { literals = [], no, without } = bundles[file] ?? {};
  const text = readFileSync(at(folder, file), 'utf8');
  for (const literal of literals) {
    if (!literal.test(text))
      throw new Stop(`${folder}/${file} must hold this expression whole and literal: ${literal.source}`);
  }
  if (no?.test(text)) throw new Stop(`${folder}/${file} must not hold this: ${no.source}`);
  const swallowed = inputs.filter((input) => without?.test(input));
  if (swallowed.length > 0) throw new Stop(`${folder}/${file} must not hold a copy of ${swallowed.join(', ')}`);
}
