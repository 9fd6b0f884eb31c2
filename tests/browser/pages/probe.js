/**
 * What the browser tests run in a page: sockets that write down everything that happens to them.
 * `probe(name)` gives the record of a socket, `listen(name, url, options)` opens one at the page's hub.
 */
const probes = new Map();
let hub;

window.hub = () => (hub ??= window.tabwire.createHub(window.hubOptions ?? {}));

window.probe = (name = 'main') => probes.get(name).record;

window.socket = (name = 'main') => probes.get(name).ws;

window.listen = (url, options = {}, name = 'main', protocols = []) => {
  const ws = window.hub().socket(url, protocols, options);
  const record = {
    got: 0,
    next: 0,
    wrong: [],
    texts: [],
    events: [],
    statuses: [],
    gaps: [],
    gapsAt: [],
    failed: [],
    overflows: [],
  };
  probes.set(name, { ws, record });
  ws.addEventListener('message', ({ data }) => {
    record.got += 1;
    if (record.texts.length < 5000) record.texts.push(typeof data === 'string' ? data.slice(0, 100) : `${data}`);
    const number = Number.parseInt(data, 10);
    if (Number.isNaN(number)) return;
    if (number !== record.next && record.wrong.length < 10) record.wrong.push([record.next, number]);
    record.next = number + 1;
  });
  for (const type of ['open', 'error', 'close']) {
    ws.addEventListener(type, ({ code, reason, wasClean }) => {
      record.events.push(type === 'close' ? { type, code, reason, wasClean, readyState: ws.readyState } : { type });
    });
  }
  ws.addEventListener('statuschange', () => record.statuses.push(ws.status));
  ws.addEventListener('gap', ({ topic, from, to, reason, suspected }) => {
    record.gaps.push({ topic, from, to, reason, suspected });
    record.gapsAt.push(record.got);
  });
  ws.addEventListener('sendfailed', ({ count, reason }) => record.failed.push({ count, reason }));
  ws.addEventListener('overflow', ({ count, policy }) => record.overflows.push({ count, policy }));
};

/** Whether the page came out of the back-forward cache, for each time it was shown since it was loaded. */
window.restored = [];
addEventListener('pageshow', ({ persisted }) => window.restored.push(persisted));

/** Waits until the hub counts so many tabs, and gives the moment, in ms since 1970. */
window.tabsAre = async (tabs) => {
  for (;;) {
    const report = await window.hub().report();
    if (report.tabs === tabs) return Date.now();
  }
};

/** Subscribes a socket to topics, and gives what each subscription is told. */
window.subscribe = (topics, name = 'main') =>
  topics.map((topic) => {
    const heard = { topic, messages: [], errors: [] };
    heard.subscription = window.socket(name).subscribe(topic, (message) => heard.messages.push(message), {
      onerror: ({ code, detail }) => heard.errors.push({ code, detail }),
    });
    window.heard.push(heard);
    return heard;
  });

/** Every subscription of the page, and what it was told. */
window.heard = [];
