// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Port, Rung } from './connect.js';
import { deadline, Ms } from './deadline.js';
import type { HostOptions } from './options.js';
import { Op, Protocol } from './protocol.js';

/**
 * Opens the hub of the leader: of this page, if it is elected.
 *
 * The leader is the page that holds a Web Lock; its hub runs in a dedicated worker of its own, which takes every other page at a
 * BroadcastChannel for each. A lock that is held by a page which does not answer within a second (frozen, or blocked) is stolen.
 * A page that loses the lock, or is frozen or cached while it leads, ends its worker before the next one has a socket.
 */
export const openLed =
  ({ workerUrl }: HostOptions, locks: LockManager, openWorker: () => Worker): Rung[2] =>
  (use, fail) => {
    const { hash } = new URL(`${workerUrl ?? ''}`, document.baseURI);
    const name = `tabwire:lead:${Protocol.Major}${hash}`;
    /** What this page is called where it leads or follows: unique, not secret. */
    let me = `${Math.random()}`;
    /** How often it was away while it followed, counted downwards. */
    let away = 0;
    let control: BroadcastChannel | undefined;
    /** The leader that this page follows, or is about to. */
    let term: string | undefined;
    let cancel = () => {};
    /** Leads no more, if it does. */
    let stepDown: (() => void) | undefined;
    let channel: BroadcastChannel | undefined;
    /** Those of the connections that this page has. */
    const shared = new Map<unknown, BroadcastChannel>();
    let isOver = false;
    /** A worker has spoken. */
    let isFound: unknown;
    /** Ends what this page listens to and waits for. */
    const ending = new AbortController();
    let waiting = new AbortController();

    const listen = (type: string, listener: (event: PageTransitionEvent) => void) =>
      addEventListener(type, listener as EventListener, {
        signal: ending.signal,
        // Those two are fired at the document. What the client posts when the page is hidden comes before the others.
        capture: type == 'freeze' || type == 'resume',
      });

    /** What the client has said before it was clear to whom. */
    const said: unknown[] = [];
    /** What the client uses: the same whether the hub is here or there. */
    const port = {
      onmessage: null as ((event: MessageEvent) => void) | null,
      onerror: null as ((event: Event) => void) | null,
      postMessage: (message: unknown): unknown => said.push(message),
      close() {
        isOver = true;
        settle();
        ending.abort();
        stepDown?.();
        shut();
      },
    };
    const go = (post: (message: unknown) => unknown) => {
      isFound = 1;
      port.postMessage = post;
      said.splice(0).forEach(post);
    };
    const crash = (...unheard: unknown[]) =>
      port.onmessage?.(new MessageEvent('message', { data: [Op.Crashed, ...unheard] }));

    const say = (...message: unknown[]) => {
      if (!control) {
        control = new BroadcastChannel(name);
        control.onmessage = hear;
      }
      control.postMessage(message);
    };
    const shut = () => {
      control?.close();
      channel?.close();
      for (const share of shared.values()) share.close();
      shared.clear();
      control = channel = undefined;
    };

    const hear = ({ data }: MessageEvent) => {
      const [what, of] = Array.isArray(data) ? data : [];
      // Somebody is about to lead: waits for that one.
      if (what == 'claim' && !term) wait();
      if (what == 'lead' && !term && !left.has(of)) follow(of);
      if (what == 'left') {
        left.add(of);
        if (of != term || stepDown) return;
        if (isFound) crash();
        else search();
      }
    };

    /** It is clear who leads. */
    const settle = () => {
      cancel();
      waiting.abort();
    };

    const follow = (of: string) => {
      settle();
      term = of;
      // Who has joined before, and was away before the first answer, comes anew.
      me = `${Math.random()}`;
      away = 0;
      let next = 0;
      let isAway: unknown;
      /** What has come before what is before it. */
      const early = new Map<number, unknown[]>();
      const take = (number: number, message: unknown[]) => {
        early.set(number, message);
        for (let data = early.get(next); data && !isOver; data = early.get(next)) {
          early.delete(next++);
          // The first says that the other end is there.
          if (!isFound) go(post);
          if (data[0] == Op.Attached) share(data[2]);
          // What is not confirmed is said again when this page has been away.
          if (data[0] == Op.Failed) open().postMessage(null);
          port.onmessage?.({ data } as MessageEvent);
        }
      };
      const open = () => {
        if (channel) return channel;
        channel = new BroadcastChannel(`${name}:${of}:${me}`);
        channel.onmessage = ({ data: [number, message, times = 0] }) => {
          // Said by a worker that did not know yet that this page had been away.
          if (times != away) return;
          // What is missing came while this page was away.
          if (!shared.size && number > next) next = number;
          take(number, message);
        };
        return channel;
      };
      /** From now on what all pages get that have this connection may come once for all of them. */
      const share = (conn: unknown) => {
        if (shared.has(conn) || isAway) return;
        const own = new BroadcastChannel(`${name}:${of}:${conn}`);
        shared.set(conn, own);
        own.onmessage = ({ data: [shares, [op, , , ...rest]] }) => {
          for (const [id, number, first] of shares) if (id == me) take(number, [op, conn, first, ...rest]);
        };
        open().postMessage(conn);
      };
      const post = (message: unknown) => {
        // The client may hear before this that the page is back.
        if ((message as unknown[])[0] == Op.Hello) isAway = 0;
        if (!isAway) open().postMessage(message);
      };
      open();
      // An open channel may cost a page the cache.
      listen('pagehide', () => {
        isAway = 1;
        channel?.postMessage(--away);
        early.clear();
        shut();
      });
      listen('pageshow', ({ persisted }) => {
        isAway = 0;
        // Hears again who leaves.
        if (persisted) say('back', me);
      });
      say('join', of, me);
    };

    const lead = () =>
      new Promise<void>((release) => {
        if (isOver || term) return release();
        cancel();
        const own = me;
        term = own;
        let worker: Worker;
        try {
          worker = openWorker();
        } catch {
          release();
          return refuse();
        }
        // The others wait for as long as the script takes to load.
        const claim = () => {
          say('claim', own);
          cancel = deadline(Ms.Pause / 2, claim);
        };
        claim();
        stepDown = () => {
          stepDown = undefined;
          cancel();
          worker.terminate();
          left.add(own);
          say('left', own);
          release();
        };
        worker.onmessage = (event) => {
          cancel();
          port.onmessage?.(event);
        };
        worker.onerror = (event) => port.onerror?.(event);
        // A page that sleeps leads nobody. When it is back it looks for who does.
        listen('freeze', () => stepDown?.());
        listen('pagehide', ({ persisted }) => {
          if (persisted) stepDown?.();
          shut();
        });
        for (const type of ['resume', 'pageshow'])
          listen(type, ({ persisted }) => (type == 'resume' || persisted) && !stepDown && crash());
        worker.postMessage([Op.Lead, name, own]);
        go((message) => worker.postMessage(message));
      });

    /** Waits for the lock of the one who leads, and takes it if that says nothing. */
    const wait = () => {
      settle();
      waiting = new AbortController();
      request({ signal: waiting.signal });
      cancel = deadline(Ms.Pause, () => {
        settle();
        request({ steal: true });
      });
    };

    const request = (options: LockOptions) =>
      locks.request(name, options, lead).catch(() => {
        // Given up by this page, because somebody has answered.
        if (isOver || options.signal?.aborted) return;
        // Stolen from it, which had not.
        const led = stepDown;
        led?.();
        // What its worker had said, and this page was too busy to hear, has gone with it.
        if (led) crash(null, null, 1);
        else if (!term) refuse();
      });

    const refuse = () => {
      port.close();
      fail('refused');
    };

    const search = () => {
      term = undefined;
      channel?.close();
      channel = undefined;
      say('who');
      wait();
    };
    use(port as unknown as Port);
    // It may have been given up before this was loaded.
    if (!port.onmessage) return;
    // What waits for the lock, or listens, costs a page the cache.
    listen('pagehide', () => {
      if (isFound) return;
      settle();
      shut();
    });
    listen('pageshow', ({ persisted }) => persisted && !isFound && search());
    search();
  };

/** The leaders that have said that they leave. A worker may answer for a moment after it was ended. */
const left = new Set<unknown>();
