import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

await build({ entryPoints: ['main.js'], outdir: 'dist', bundle: true, format: 'esm', splitting: true, minify: true });
for (const file of ['worker', 'hub.wasm']) {
  const from = fileURLToPath(import.meta.resolve(`tabwire/${file}`));
  copyFileSync(from, `dist/tabwire-${file.replace(/^worker$/, 'worker.js')}`);
}
