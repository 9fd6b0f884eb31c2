import { describeInterface } from './suite.js';

describeInterface('send()', {
  'sends text: ASCII, other, none, and much': {
    wpt: 'Send-data.any.js, Send-unicode-data.any.js, Send-0byte-data.any.js, Send-65K-data.any.js',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 4);
      const given = ['plain', 'ünï ¥ 漢字', '', 'x'.repeat(65_000)];
      for (const text of given) socket.send(text);
      return (await got).map((text, index) => text === given[index]);
    },
    gives: [true, true, true, true],
  },
  'sends what is no text and no bytes as the text of it': {
    wpt: 'Send-null.any.js, interfaces/WebSocket/send/010.html',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 6);
      for (const given of [null, undefined, 7, true, {}, ['a', 'b']]) socket.send(given as never);
      return got;
    },
    gives: ['null', 'undefined', '7', 'true', '[object Object]', 'a,b'],
  },
  'keeps surrogate pairs, and sends U+FFFD for half of one': {
    wpt: 'Send-paired-surrogates.any.js, Send-unpaired-surrogates.any.js',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 2);
      socket.send('\ud801\udc07');
      socket.send('a\ud801b');
      return got;
    },
    gives: ['\ud801\udc07', 'a\ufffdb'],
  },
  'sends buffers, and of views only what they show': {
    wpt: 'Send-binary-arraybuffer.any.js, Send-binary-arraybufferview-*.any.js',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 7);
      const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
      socket.send(bytes.buffer);
      socket.send(bytes);
      socket.send(bytes.subarray(2, 4));
      socket.send(new Int16Array(bytes.buffer, 2, 1));
      socket.send(new Uint32Array(bytes.buffer, 4));
      socket.send(new DataView(bytes.buffer, 7));
      socket.send(new ArrayBuffer(0));
      return got;
    },
    gives: [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8], [3, 4], [3, 4], [5, 6, 7, 8], [8], []],
  },
  'sends a Blob in its place among the others': {
    wpt: 'Send-binary-blob.any.js',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 3);
      socket.send('before');
      socket.send(new Blob([Uint8Array.from([1, 2])]));
      socket.send('after');
      return got;
    },
    gives: ['before', [1, 2], 'after'],
  },
  'sends bytes that another window has made': {
    wpt: 'none; multi-globals/message-received.html has the other direction',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 3);
      const frame = document.createElement('iframe');
      document.body.append(frame);
      const other = frame.contentWindow as unknown as typeof globalThis;
      const bytes = other.Uint8Array.from([1, 2]);
      socket.send(bytes);
      socket.send(bytes.buffer);
      socket.send(new other.Blob([bytes]));
      const all = await got;
      frame.remove();
      return all;
    },
    gives: [
      [1, 2],
      [1, 2],
      [1, 2],
    ],
  },
  'sends 64 KiB of bytes in one piece': {
    wpt: 'Send-binary-65K-arraybuffer.any.js, extended-payload-length.html',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 3);
      for (const length of [125, 126, 65_536]) socket.send(new Uint8Array(length).fill(7));
      return (await got).map((bytes) => (bytes as number[]).length);
    },
    gives: [125, 126, 65_536],
  },
  'takes the bytes as they are at the call': {
    wpt: 'none: the standard says so of send()',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 1);
      const bytes = Uint8Array.from([1, 2]);
      socket.send(bytes);
      bytes.fill(9);
      return got;
    },
    gives: [[1, 2]],
  },
  'sends many in order': {
    wpt: 'send-many-64K-messages-with-backpressure.any.js',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 500);
      for (let index = 0; index < 500; index++) socket.send(`${index}`);
      return (await got).every((text, index) => text === `${index}`);
    },
    gives: true,
  },
  'wants an argument, and returns nothing': {
    wpt: 'interfaces/WebSocket/send/001.html, 005.html',
    run: async ({ open, thrown }) => {
      const socket = await open();
      return [thrown(() => (socket.send as () => void)()), typeof socket.send('text')];
    },
    gives: ['TypeError', 'undefined'],
  },
  'throws before open': {
    wpt: 'Send-before-open.any.js, interfaces/WebSocket/send/004.html',
    run: ({ make, thrown }) => {
      const socket = make();
      return thrown(() => socket.send('early'));
    },
    gives: 'InvalidStateError',
    differs: { gives: 'nothing', as: '`send` before `open` queues' },
  },
  'discards without a word after close, and counts what it discards': {
    wpt: 'interfaces/WebSocket/send/007.html',
    run: async ({ open, next }) => {
      const socket = await open();
      socket.close();
      const before = socket.bufferedAmount;
      socket.send('ü');
      socket.send(new Uint8Array(3));
      const closing = socket.bufferedAmount - before;
      await next(socket, 'close');
      socket.send('xy');
      return [closing, socket.bufferedAmount];
    },
    gives: [5, 7],
    // With the head of each frame.
    native: { webkit: [17, 25] },
  },
  'counts the bytes that wait': {
    wpt: 'interfaces/WebSocket/bufferedAmount/bufferedAmount-arraybuffer.html, bufferedAmount-blob.html, bufferedAmount-unicode.html, bufferedAmount-large.html',
    run: async ({ open, messages }) => {
      const socket = await open();
      const got = messages(socket, 3);
      socket.send('漢');
      const text = socket.bufferedAmount;
      socket.send(new Uint8Array(4));
      const bytes = socket.bufferedAmount;
      socket.send(new Blob(['12345']));
      const blob = socket.bufferedAmount;
      await got;
      return [text, bytes, blob, socket.bufferedAmount];
    },
    gives: [3, 7, 12, 0],
  },
});
