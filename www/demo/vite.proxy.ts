import type { ProxyOptions } from 'vite';

/** Passes on to one place what is the server's, whatever the page asks for; while nobody is there, the answer is a 502 that says so as JSON. */
export const proxyTo = (target: string): ProxyOptions => ({
  target,
  configure(proxy) {
    proxy.on('error', ({ message }, _request, response) => {
      if (!('writeHead' in response) || response.headersSent) return;
      response.writeHead(502, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: 'bad gateway', message, target }));
    });
  },
});
