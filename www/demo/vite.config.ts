import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const built = fileURLToPath(new URL('../../dist/index.js', import.meta.url));

/** The package is taken as built, so that Vite finds worker and wasm just as it does for a user. */
export default defineConfig({
  plugins: [react()],
  resolve: { alias: [{ find: /^tabwire$/, replacement: built }] },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022' },
});
