import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig, type ProxyOptions } from 'vite';

const built = (file: string) => fileURLToPath(new URL(`../../dist/${file}`, import.meta.url));

/** For `npx vite www/demo` beside `npm start -- --site-port 8787`: one place for all that is the server's, whatever the page asks for. */
const target = 'http://127.0.0.1:8787';

/** What the page takes for the server's answer while there is none. */
const proxy: ProxyOptions = {
  target,
  configure(proxy) {
    proxy.on('error', ({ message }, _request, response) => {
      if (!('writeHead' in response) || response.headersSent) return;
      response.writeHead(502, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'bad gateway', message, target }));
    });
  },
};

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
