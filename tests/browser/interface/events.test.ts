import { describeInterface } from './suite.js';

describeInterface('the events', {
  'has handlers that are null, keep functions and objects, and nothing else': {
    wpt: 'eventhandlers.any.js, interfaces/WebSocket/events/001.html, 006.html, 010.html, 012.html, 013.html, 014.html',
    run: ({ make }) => {
      const socket = make() as unknown as Record<string, unknown>;
      return ['onopen', 'onmessage', 'onerror', 'onclose'].map((name) => {
        const seen = [socket[name]];
        for (const given of [() => {}, { handleEvent() {} }, 5, ';', undefined, null]) {
          socket[name] = given;
          seen.push(socket[name] === given ? 'kept' : socket[name]);
        }
        return seen;
      });
    },
    gives: Array(4).fill([null, 'kept', 'kept', null, null, null, 'kept']),
  },
  'calls handlers with the socket as this, and in the place where they were set first': {
    wpt: 'interfaces/WebSocket/events/016.html',
    run: async ({ make, next }) => {
      const socket = make();
      const calls: unknown[] = [];
      socket.addEventListener('open', () => calls.push('first'));
      socket.onopen = () => calls.push('replaced');
      socket.addEventListener('open', () => calls.push('listener'));
      socket.onopen = function (this: unknown) {
        calls.push('handler', this === socket);
      };
      await next(socket, 'open');
      return calls;
    },
    gives: ['first', 'handler', true, 'listener'],
  },
  'takes events from others, and forgets listeners that are taken away': {
    wpt: 'interfaces/WebSocket/events/004.html, 007.html, 019.html',
    run: ({ make }) => {
      const socket = make();
      const heard: unknown[] = [];
      const listener = ({ detail }: Event & { detail?: unknown }) => heard.push(detail);
      socket.onmessage = listener;
      socket.addEventListener('message', listener);
      socket.dispatchEvent(new CustomEvent('message', { detail: 'both' }));
      socket.removeEventListener('message', listener);
      socket.dispatchEvent(new CustomEvent('message', { detail: 'handler' }));
      return heard;
    },
    gives: ['both', 'both', 'handler'],
  },
  'fires an open event that neither bubbles nor can be cancelled': {
    wpt: 'interfaces/WebSocket/events/018.html',
    run: async ({ make, next }) => {
      const socket = make();
      const event = await next<Event>(socket, 'open');
      const { type, bubbles, cancelable, target } = event;
      return [event.constructor.name, type, bubbles, cancelable, target === socket];
    },
    gives: ['Event', 'open', false, false, true],
  },
  'fires message events with data and origin, and without what is for other messages': {
    wpt: 'interfaces/WebSocket/events/018.html',
    run: async ({ open, next, url }) => {
      const socket = await open();
      const got = next<MessageEvent>(socket, 'message');
      socket.send('text');
      const event = await got;
      const { data, origin, lastEventId, source, ports, bubbles, cancelable, target } = event;
      const isOwn = origin === new URL(url).origin && target === socket;
      return [event.constructor.name, data, isOwn, lastEventId, source, [...ports], bubbles, cancelable];
    },
    gives: ['MessageEvent', 'text', true, '', null, [], false, false],
  },
  'fires a close event that neither bubbles nor can be cancelled': {
    wpt: 'interfaces/WebSocket/events/018.html',
    run: async ({ open, next }) => {
      const socket = await open();
      const end = next(socket, 'close');
      socket.close();
      const event = await end;
      return [event.constructor.name, event.bubbles, event.cancelable, event.target === socket];
    },
    gives: ['CloseEvent', false, false, true],
  },
  'fires events that the browser vouches for': {
    wpt: 'none: the standard of DOM events says so',
    run: async ({ make, next }) => (await next<Event>(make(), 'open')).isTrusted,
    gives: true,
    differs: { gives: false, as: '`isTrusted` is false' },
  },
  'fires nothing before the turn of its making has ended': {
    wpt: 'interfaces/WebSocket/readyState/002.html',
    run: async ({ make, next }) => {
      const socket = make();
      let fired = 0;
      socket.onopen = () => fired++;
      await Promise.resolve();
      const early = [fired, socket.readyState];
      await next(socket, 'open');
      return [early, fired, socket.readyState];
    },
    gives: [[0, 0], 1, 1],
  },
  'gives binary as a Blob or a buffer, by what is asked for when it comes': {
    wpt: 'binary/001.html to 005.html',
    run: async ({ open, next }) => {
      const socket = await open();
      const kinds: string[] = [];
      for (const type of ['blob', 'arraybuffer', 'blob'] as const) {
        socket.binaryType = type;
        const got = next<MessageEvent>(socket, 'message');
        socket.send(Uint8Array.from([1, 2, 3]));
        const { data } = await got;
        kinds.push(`${Object.prototype.toString.call(data)} ${data.size ?? data.byteLength} ${data.type ?? ''}`);
      }
      return kinds;
    },
    gives: ['[object Blob] 3 ', '[object ArrayBuffer] 3 ', '[object Blob] 3 '],
  },
  'goes on when a listener throws': {
    wpt: 'none: the standard of DOM events says so',
    run: async ({ open, messages }) => {
      const socket = await open();
      const reported: string[] = [];
      const report = (event: ErrorEvent) => {
        reported.push(event.message.replace(/^Uncaught |Error: /g, ''));
        event.preventDefault();
      };
      addEventListener('error', report);
      socket.onmessage = () => {
        throw new Error('listener');
      };
      const got = messages(socket, 2);
      socket.send('one');
      socket.send('two');
      const both = await got;
      removeEventListener('error', report);
      return [both, reported];
    },
    gives: [
      ['one', 'two'],
      ['listener', 'listener'],
    ],
  },
  'fires error and then close when the server refuses': {
    wpt: 'interfaces/WebSocket/events/020.html, Create-blocked-port.any.js',
    run: async ({ Socket, url, next }) => {
      const socket = new Socket(url.replace('/ws?', '/nothing/here?'));
      const fired: string[] = [];
      for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => fired.push(type));
      // Ours goes on trying.
      await next<Event>(socket, 'status' in socket ? 'error' : 'close');
      return [[...fired], socket.readyState];
    },
    gives: [['error', 'close'], 3],
    differs: { gives: [['error'], 0], as: 'A failed attempt fires `error` only, and is repeated' },
  },
});
