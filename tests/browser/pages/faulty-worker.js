/**
 * The worker script of a build (`?dist=/newer/dist`; `/dist` by default) in a worker that can be made to fail from outside,
 * by a message on the channel `test-worker`. `close` ends it without a word. `restart` does to a SharedWorker what Safari does when
 * the tab that made it closes: the script begins anew with the same ports, and what the hub before it had is gone.
 */
const dist = new URLSearchParams(location.search).get('dist') ?? '/dist';
const isShared = 'onconnect' in self;
const ports = [];
const early = [];
let life = 0;
let connect = (event) => early.push(event);

/** What ends with the present hub. */
const ends = [];

const accept = (event) => {
  ports.push(event.ports[0]);
  give(event.ports[0]);
};

/** Hands a port to the present hub: the other end of a channel, which can be cut. */
const give = (port) => {
  const { port1, port2 } = new MessageChannel();
  port.onmessage = ({ data }) => port1.postMessage(data);
  port1.onmessage = ({ data }) => port.postMessage(data);
  ends.push(() => port1.close());
  connect({ ports: [port2] });
};

const begin = async () => {
  life += 1;
  await import(`${dist}/worker.js?life=${life}`);
  if (!isShared) {
    for (const event of early) self.onmessage(event);
    return;
  }
  connect = self.onconnect;
  self.onconnect = accept;
  for (const event of early.splice(0)) connect(event);
};

const restart = () => {
  for (const end of ends.splice(0)) end();
  connect = (event) => early.push(event);
  for (const port of ports) give(port);
  void begin();
};

new BroadcastChannel('test-worker').onmessage = ({ data: what }) => (what === 'restart' ? restart() : self.close());

self.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    ends.push(() => {
      this.onopen = this.onmessage = this.onclose = this.onerror = null;
      this.close();
    });
  }
};

self.BroadcastChannel = class extends BroadcastChannel {
  constructor(name) {
    super(name);
    ends.push(() => this.close());
  }
};

const { setTimeout } = self;
self.setTimeout = (...args) => {
  const timer = setTimeout(...args);
  ends.push(() => clearTimeout(timer));
  return timer;
};

if (navigator.locks) {
  const request = navigator.locks.request.bind(navigator.locks);
  navigator.locks.request = (name, ...rest) => {
    const granted = rest.pop();
    const born = life;
    const ended = new Promise((resolve) => ends.push(resolve));
    return request(name, ...rest, (lock) => born === life && Promise.race([granted(lock), ended]));
  };
}

if (isShared) self.onconnect = accept;
else self.onmessage = (event) => early.push(event);
void begin();
