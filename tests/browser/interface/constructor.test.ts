import { describeInterface } from './suite.js';

describeInterface('the constructor', {
  'takes ws urls, and reads http as ws': {
    wpt: 'Create-valid-url.any.js, Create-http-urls.any.js, Create-verify-url-set-non-default-port.any.js',
    run: ({ Socket, url }) =>
      [url, url.replace('ws:', 'http:'), url.replace('ws:', 'WS:')].map((given) => {
        const socket = new Socket(given);
        socket.close();
        return socket.url === url;
      }),
    gives: [true, true, true],
  },
  'resolves relative urls against the page': {
    wpt: 'Create-valid-url-relative.tentative.any.js',
    run: ({ Socket }) =>
      ['/ws', 'ws?a=b', '?c', '../ws'].map((given) => {
        const socket = new Socket(given);
        socket.close();
        return socket.url.replace(/^ws:\/\/[\d.:]+/, '');
      }),
    gives: ['/ws', '/ws?a=b', '/page.html?c', '/ws'],
  },
  'writes the url as parsed: without the default port, with blanks escaped': {
    wpt: 'Create-verify-url-set-default-port.htm, interfaces/WebSocket/url/',
    run: ({ Socket }) =>
      ['ws://127.0.0.1:80/a b', 'wss://127.0.0.1:443', 'ws://LOCALHOST/./x/../y'].map((given) => {
        const socket = new Socket(given);
        socket.close();
        return socket.url;
      }),
    gives: ['ws://127.0.0.1/a%20b', 'wss://127.0.0.1/', 'ws://localhost/y'],
  },
  'refuses urls of other schemes, those that cannot be parsed, and fragments': {
    wpt: 'Create-wrong-scheme.any.js, Create-invalid-urls.any.js',
    run: ({ Socket, thrown, url }) =>
      [
        'mailto:someone@example.org',
        'about:blank',
        'ftp://127.0.0.1/',
        'ws://127.0.0.1:99999/',
        'wss://',
        `${url}#here`,
      ].map((given) => thrown(() => new Socket(given))),
    gives: Array(6).fill('SyntaxError'),
  },
  'refuses protocols that are no tokens, or twice the same': {
    wpt: 'Create-protocol-with-space.any.js, Create-nonAscii-protocol-string.any.js, Create-asciiSep-protocol-string.any.js, Create-protocols-repeated.any.js, Create-valid-url-protocol-empty.any.js',
    run: ({ Socket, thrown, url }) =>
      ['two words', 'ünicode', 'a/b', 'a,b', '(a)', 'a\u0007', '', ['a', 'a'], ['a', '']].map((given) =>
        thrown(() => new Socket(url, given)),
      ),
    gives: Array(9).fill('SyntaxError'),
  },
  // The file wants SyntaxError, and gets it in no engine.
  'takes protocols that differ in case only': {
    wpt: 'Create-protocols-repeated-case-insensitive.any.js',
    run: ({ make, thrown }) => thrown(() => make(['echo', 'Echo'])),
    gives: 'nothing',
  },
  'reads protocols as the interface says: null is a name, undefined none': {
    wpt: 'constructor.any.js',
    run: async ({ Socket, url, next }) => {
      const chosen: string[] = [];
      for (const given of [null, undefined, 7, new Set(['from', 'a set'.slice(2)]), { toString: () => 'object' }]) {
        const socket = new Socket(url, given as never);
        await next(socket, 'open');
        chosen.push(socket.protocol);
        socket.close();
      }
      return chosen;
    },
    gives: ['null', '', '7', 'from', 'object'],
  },
  'shows the protocol that the server has chosen, once it is open': {
    wpt: 'Create-valid-url-protocol-setCorrectly.any.js, Create-valid-url-protocol-string.any.js, Create-valid-url-array-protocols.any.js',
    run: async ({ make, next }) => {
      const socket = make(['second', 'first']);
      const before = socket.protocol;
      await next(socket, 'open');
      return [before, socket.protocol];
    },
    gives: ['', 'second'],
  },
  'begins connecting, with nothing chosen and nothing waiting': {
    wpt: 'Create-extensions-empty.any.js, Create-valid-url-binaryType-blob.any.js, interfaces/WebSocket/readyState/001.html',
    run: ({ make }) => {
      const { readyState, protocol, extensions, binaryType, bufferedAmount } = make(['one']);
      return { readyState, protocol, extensions, binaryType, bufferedAmount };
    },
    gives: { readyState: 0, protocol: '', extensions: '', binaryType: 'blob', bufferedAmount: 0 },
  },
  'wants `new`, and a url': {
    wpt: 'constructor.any.js, idlharness.any.js',
    run: ({ Socket, thrown, url }) => [
      thrown(() => (Socket as unknown as (url: string) => void)(url)),
      thrown(() => new (Socket as unknown as new () => object)()),
      Socket.length,
    ],
    gives: ['TypeError', 'TypeError', 1],
  },
  'can be extended': {
    wpt: 'idlharness.any.js',
    run: async ({ Socket, url, next }) => {
      class Mine extends Socket {
        mine = 'mine';
      }
      const socket = new Mine(url);
      await next(socket, 'open');
      const isAll = socket instanceof Mine && socket instanceof Socket && socket instanceof EventTarget;
      socket.close();
      return [isAll, socket.mine, socket.readyState];
    },
    gives: [true, 'mine', 2],
  },
});
