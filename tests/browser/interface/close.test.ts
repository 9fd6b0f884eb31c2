import { describeInterface } from './suite.js';

describeInterface('close()', {
  'takes 1000 and 3000 to 4999, read as a clamped number, and no other code': {
    wpt: 'Close-0.any.js, Close-1000.any.js, Close-2999-reason.any.js, Close-3000-reason.any.js, Close-4999-reason.any.js, Close-NaN.any.js, Close-null.any.js, Close-string.any.js, Close-clamp.any.js, close-invalid.any.js',
    run: ({ make, thrown }) =>
      [0, 999, 1000, 1001, 1005, 1006, 2999, 3000, 4999, 5000, -1, 66_536, NaN, null, 'text', '3000', 3000.4].map(
        (code) => thrown(() => make().close(code as number)),
      ),
    gives: [0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1].map((isTaken) =>
      isTaken ? 'nothing' : 'InvalidAccessError',
    ),
  },
  'takes no code, also where there is a reason': {
    wpt: 'Close-1005.any.js, Close-undefined.any.js, Close-onlyReason.any.js',
    run: ({ make, thrown }) => [
      thrown(() => make().close()),
      thrown(() => make().close(undefined)),
      thrown(() => make().close(undefined, 'reason')),
    ],
    gives: ['nothing', 'nothing', 'nothing'],
    native: { chromium: ['nothing', 'nothing', 'InvalidAccessError'] },
  },
  'refuses an object as a code': {
    wpt: 'close-invalid.any.js',
    run: ({ make, thrown }) => thrown(() => make().close({} as never)),
    gives: 'InvalidAccessError',
    differs: { gives: 'nothing', as: '`close({ purge })` takes an object' },
  },
  'takes reasons of up to 123 bytes': {
    wpt: 'Close-Reason-124Bytes.any.js, interfaces/WebSocket/close/close-basic.html',
    run: ({ make, thrown }) =>
      ['x'.repeat(123), 'x'.repeat(124), 'ü'.repeat(61), 'ü'.repeat(62), '\ud801'.repeat(41), '\ud801'.repeat(42)].map(
        (reason) => thrown(() => make().close(1000, reason)),
      ),
    gives: ['nothing', 'SyntaxError', 'nothing', 'SyntaxError', 'nothing', 'SyntaxError'],
  },
  'ends with the code and the reason that were given, cleanly': {
    wpt: 'Close-1000-verify-code.any.js, Close-1000-reason.any.js, Close-3000-verify-code.any.js, Close-1005-verify-code.any.js',
    run: async ({ open, next }) => {
      const ends: unknown[] = [];
      for (const given of [[1000], [1000, 'done'], [3000, 'ü'], []] as [number?, string?][]) {
        const socket = await open();
        const end = next(socket, 'close');
        socket.close(...given);
        const { code, reason, wasClean } = await end;
        ends.push([code, reason, wasClean]);
      }
      return ends;
    },
    gives: [
      [1000, '', true],
      [1000, 'done', true],
      [3000, 'ü', true],
      [1005, '', true],
    ],
  },
  'writes U+FFFD for half of a surrogate pair in the reason': {
    wpt: 'Close-reason-unpaired-surrogates.any.js',
    run: async ({ open, next }) => {
      const socket = await open();
      const end = next(socket, 'close');
      socket.close(1000, 'a\ud801b');
      return (await end).reason;
    },
    gives: 'a\ufffdb',
  },
  'is closing at once, and closed when it says so': {
    wpt: 'Close-readyState-Closing.any.js, Close-readyState-Closed.any.js, interfaces/WebSocket/close/004.html',
    run: async ({ open, next }) => {
      const socket = await open();
      const end = next(socket, 'close');
      const returned = typeof socket.close();
      const { readyState } = socket;
      await end;
      return [returned, readyState, socket.readyState];
    },
    gives: ['undefined', 2, 3],
  },
  'ends once, however often it is closed': {
    wpt: 'interfaces/WebSocket/close/close-multiple.html, close-nested.html',
    run: async ({ open, next }) => {
      const socket = await open();
      let count = 0;
      socket.onclose = () => {
        count++;
        socket.close();
      };
      socket.close();
      socket.close(3000);
      await next(socket, 'close');
      socket.close();
      await new Promise((resolve) => setTimeout(resolve));
      return [count, socket.readyState];
    },
    gives: [1, 3],
  },
  'ends without messages once it is closed': {
    wpt: 'closing-handshake/004.html, interfaces/WebSocket/send/007.html',
    run: async ({ open, next }) => {
      const socket = await open();
      let count = 0;
      socket.onmessage = () => {
        count++;
      };
      socket.send('sent before');
      socket.close();
      await next(socket, 'close');
      return count;
    },
    gives: 0,
  },
  'fails when it is closed before it is open': {
    wpt: 'interfaces/WebSocket/close/close-connecting.html',
    run: async ({ make, next }) => {
      const socket = make();
      const fired: string[] = [];
      for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => fired.push(type));
      const end = next(socket, 'close');
      socket.close(3000, 'early');
      const closing = socket.readyState;
      await end;
      // Without the code: that of WebSocket is 1006, and in Firefox now and then the one that was given.
      return [closing, [...fired], socket.readyState];
    },
    gives: [2, ['error', 'close'], 3],
    differs: { gives: [2, ['close'], 3], as: '`close` before `open` is no failure' },
  },
  'ends with what the server says when that closes for good': {
    wpt: 'Close-server-initiated-close.any.js, closing-handshake/002.html',
    run: async ({ open, next, order }) => {
      const socket = await open();
      const end = next(socket, 'close');
      await order('close', { code: 4400, reason: 'enough' });
      const { code, reason, wasClean } = await end;
      return [code, reason, wasClean, socket.readyState];
    },
    gives: [4400, 'enough', true, 3],
  },
  'ends when the server goes away': {
    wpt: 'closing-handshake/003.html',
    run: async ({ open, next, order }) => {
      const socket = await open();
      const end = next(socket, 'close');
      await order('close', { code: 1001, reason: 'restart' });
      const { code, reason, wasClean } = await end;
      return [code, reason, wasClean, socket.readyState];
    },
    gives: [1001, 'restart', true, 3],
    differs: { gives: [1001, 'restart', true, 0], as: '`close` at every loss, then `open` again' },
  },
  'ends uncleanly when the connection is lost': {
    wpt: 'closing-handshake/003.html',
    run: async ({ open, next, order }) => {
      const socket = await open();
      const end = next(socket, 'close');
      await order('drop');
      const { code, reason, wasClean } = await end;
      return [code, reason, wasClean, socket.readyState];
    },
    gives: [1006, '', false, 3],
    differs: { gives: [1006, '', false, 0], as: '`close` at every loss, then `open` again' },
  },
});
