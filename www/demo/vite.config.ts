import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { proxyTo } from './vite.proxy.js';

const built = (file: string) => fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));

/** For `npx vite www/demo` beside `npm start -- --site-port 8787`. */
const proxy = proxyTo('http://127.0.0.1:8787');

/** The package is taken as built, so that Vite finds worker and wasm just as it does for a user. */
export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^tabwire$/, replacement: built('index.js') },
      { find: /^tabwire\/worker$/, replacement: built('worker.js') },
    ],
  },
  worker: { format: 'es' },
  server: { proxy: { '/config.json': proxy, '/control': proxy, '/api': proxy } },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022' },
});
