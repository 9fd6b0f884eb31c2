import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import resolve from '@rollup/plugin-node-resolve';

const copyWorker = {
  name: 'copy-worker',
  writeBundle: () =>
    copyFileSync(fileURLToPath(import.meta.resolve('tabwire/worker.inline.js')), 'dist/worker.inline.js'),
};

export default { input: 'main.js', output: { dir: 'dist' }, plugins: [resolve(), copyWorker] };
