import { describeInterface } from './suite.js';

describeInterface('the attributes', {
  'has constants on constructor, prototype and socket, which stay as they are': {
    wpt: 'interfaces/WebSocket/constants/001.html to 006.html, idlharness.any.js',
    run: ({ Socket, make, thrown }) => {
      const socket = make();
      return ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'].map((name) =>
        [Socket, Socket.prototype, socket].map((place) => {
          const target = place as unknown as Record<string, unknown>;
          const error = thrown(() => {
            target[name] = 7;
          });
          return [target[name], error];
        }),
      );
    },
    gives: [0, 1, 2, 3].map((value) => Array(3).fill([value, 'TypeError'])),
  },
  'has enumerable constants, attributes and methods': {
    wpt: 'idlharness.any.js',
    run: ({ Socket, make }) => {
      const names: string[] = [];
      for (const name in make()) names.push(name);
      const wanted = [
        ...['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED', 'url', 'readyState', 'bufferedAmount', 'protocol', 'extensions'],
        ...['binaryType', 'onopen', 'onmessage', 'onerror', 'onclose', 'send', 'close'],
      ];
      return [wanted.filter((name) => !names.includes(name)), Object.keys(Socket).includes('OPEN')];
    },
    gives: [[], true],
    differs: {
      gives: [
        [
          'CONNECTING',
          'OPEN',
          'CLOSING',
          'CLOSED',
          'url',
          'readyState',
          'bufferedAmount',
          'protocol',
          'extensions',
        ].concat(['binaryType', 'onopen', 'onmessage', 'onerror', 'onclose']),
        false,
      ],
      as: 'Its properties are not enumerable',
    },
  },
  'has attributes that cannot be set': {
    wpt: 'idlharness.any.js, interfaces/WebSocket/bufferedAmount/ and readyState/',
    run: ({ make, thrown }) => {
      const socket = make() as unknown as Record<string, unknown>;
      return ['url', 'readyState', 'bufferedAmount', 'protocol', 'extensions'].map((name) => {
        const before = socket[name];
        const error = thrown(() => {
          socket[name] = 'other';
        });
        return [error, socket[name] === before];
      });
    },
    gives: Array(5).fill(['TypeError', true]),
  },
  'has attributes of the prototype, which a socket may hide and cannot lose': {
    wpt: 'interfaces/WebSocket/bufferedAmount/bufferedAmount-deleting.html, bufferedAmount-defineProperty-getter.html, interfaces/WebSocket/readyState/003.html to 005.html',
    run: ({ make }) => {
      const socket = make() as unknown as Record<string, unknown>;
      const isDeleted = delete socket.bufferedAmount;
      const left = socket.bufferedAmount;
      Object.defineProperty(socket, 'bufferedAmount', { get: () => 'hidden', configurable: true });
      const hidden = socket.bufferedAmount;
      delete socket.bufferedAmount;
      const { close } = socket;
      socket.close = 5;
      const replaced = socket.close;
      delete socket.close;
      return [isDeleted, left, hidden, replaced, socket.close === close];
    },
    gives: [true, 0, 'hidden', 5, true],
  },
  'keeps its type of binary when a wrong one is set': {
    wpt: 'binaryType-wrong-value.any.js',
    run: ({ make }) => {
      const socket = make() as unknown as { binaryType: unknown };
      return ['arraybuffer', 'other', '', null, undefined, 5, 'Blob', 'blob'].map((type) => {
        socket.binaryType = type;
        return socket.binaryType;
      });
    },
    gives: [...Array(7).fill('arraybuffer'), 'blob'],
  },
  'is an event target whose members want a socket': {
    wpt: 'idlharness.any.js',
    run: ({ Socket, make, thrown }) => {
      const socket = make();
      const { get } = Object.getOwnPropertyDescriptor(Socket.prototype, 'readyState') ?? {};
      return [
        socket instanceof EventTarget,
        Object.getPrototypeOf(Socket) === EventTarget,
        Object.getPrototypeOf(Socket.prototype) === EventTarget.prototype,
        thrown(() => get?.call({})),
        thrown(() => Socket.prototype.send.call({} as never, 'text')),
      ];
    },
    gives: [true, true, true, 'TypeError', 'TypeError'],
  },
  'is called WebSocket as an object': {
    wpt: 'idlharness.any.js',
    run: ({ make }) => Object.prototype.toString.call(make()),
    gives: '[object WebSocket]',
    differs: { gives: '[object EventTarget]', as: 'As an object it is called EventTarget' },
  },
});
