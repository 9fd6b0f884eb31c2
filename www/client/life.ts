// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Client } from './client.js';
import type { Host, Past, Port, Rung } from './connect.js';
import { Cue, type CueMessage, type Handle, Leave } from './cue.js';
import { deadline, Ms } from './deadline.js';
import { createInbox } from './inbox.js';
import type { HostOptions } from './options.js';
import { type AnswerBody, type Bit, type HubMessage, type Need, Op, type WelcomeBody } from './protocol.js';
import { seek } from './seek.js';

/** What a client lets its life see and do, besides what it lets everybody do. */
export type Inner = [
  handles: ReadonlySet<Handle>,
  /** Where the tab holds its lock and waits for that of the hub, if it may. */
  locksOf: () => LockManager | '' | false | undefined,
  /** A hub of this epoch has said welcome. */
  meet: (epoch: string) => void,
  /** Takes a lock that shows that this tab lives, and then calls back. */
  hold: (then: () => void) => void,
  /** Says hello and attaches all handles. */
  greet: () => void,
  /** Goes to a port, or to none. */
  adopt: (port: Port | null, host?: Host, open?: Rung[2]) => void,
  /** Forgets what the hub knew. */
  forget: (cue?: CueMessage) => void,
  /** Has no port any more. */
  abandon: () => void,
  /** Opens the SharedWorker that all tabs of this build share. */
  openWorker: () => SharedWorker,
];

/** The life of a client. */
export type Life = [
  /** The client has ended. */
  quit: () => void,
  /** The client begins: `first` gives what it has opened. */
  search: (first: Rung[2]) => void,
];

/**
 * Finds the hub of a client, and lets it live on when that dies, is replaced or falls silent, and when its page is hidden,
 * cached, frozen or left. It is loaded while the first worker starts.
 */
export const live = (
  [post, , , place]: Client,
  [handles, locksOf, meet, hold, greet, adopt, forget, abandon, openWorker]: Inner,
  where: HostOptions,
  quit: (failure: string) => void,
): Life => {
  let welcome: WelcomeBody | undefined;
  let asks = false;
  let cancel = () => {};
  let leave = () => {};
  let lostAt = 0;
  /** The epoch of a hub that a second script has put in doubt, until somebody says welcome. */
  let doubted: string | undefined;
  /** Whether somebody has said who meanwhile: if it is that hub, it had given this tab up. */
  let isUnknown = false;
  let soughtAt = Date.now();
  /** What waits for its search, and the search after it if that finds nothing either. */
  let next: (() => void) | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let pause: number = Ms.Pause;
  /** Since when there is no hub. */
  let since = 0;

  const tell = (input: Parameters<Handle>[0]) => {
    for (const handle of handles) handle(input);
  };

  /** What has been posted may be handed without this page being told. */
  const risk = () => tell([Cue.Risk]);

  /** The hub is gone: that of the epoch, if another has not taken its place by the turn of this. */
  const lost = (epoch?: string | null) => push([Op.Crashed, null, epoch] as never);

  /** The hub has just said something. */
  const listen = () => {
    cancel();
    if (asks) {
      cancel = deadline(Ms.Silence, () => {
        post([Op.Alive]);
        expect();
      });
    }
  };

  /** The hub must say something soon. */
  const expect = () => {
    cancel();
    cancel = deadline(Ms.Answer, () => {
      // It may be frozen, and hand what it has when it thaws.
      risk();
      lost();
    });
  };

  const stop = () => {
    asks = false;
    doubted = undefined;
    next = undefined;
    clearTimeout(timer);
    cancel();
  };

  const search = (past?: Past, first?: Rung[2]) => {
    const [, , trail] = place();
    trail.clear();
    leave = seek(
      where,
      past,
      [(use) => use(openWorker()), first],
      adopt,
      (message) => {
        listen();
        if (message[0] == Op.Ask) post([Op.Alive]);
        push(message);
      },
      (why) => {
        adopt(null);
        if (why) trail.add(why);
        // A page that has had a hub does not give up.
        else if (past) push([Op.Unavailable] as never);
        else quit('wasm-unavailable');
      },
    );
  };

  const depart = () => {
    leave();
    abandon();
    clear();
  };

  /** Leaves the hub, and seeks another after that long. */
  const change = (how: Leave, ms: number, target?: Past[3]) => {
    stop();
    const [host, , , open] = place();
    forget([Cue.Lose, null, how]);
    depart();
    next = () => {
      stop();
      soughtAt = Date.now();
      search([welcome, host, open, target]);
    };
    timer = setTimeout(next, ms);
  };

  /** Nothing was found, as where the worker has died while there was no network: seeks again, less and less often. */
  const wait = () => {
    change(Leave.Dead, pause);
    // Ends what was to be closed, without a port.
    tell([Cue.Attach]);
    since ||= Date.now();
    const at = Date.now() + pause;
    tell([Op.Status, none, 'reconnecting', 0, at, 1006, 'hub-lost', since, 'websocket', '', '', 0]);
    pause = Math.min(2 * pause, Ms.LongPause);
  };

  /** Asks the user's function for what the hub needs. */
  const answer = async (id: number, kind: Need, ask: unknown) => {
    const [, epoch] = place();
    const value = await import('./answers.js').then(
      ({ answer }) => answer(kind, ask as () => unknown),
      (): AnswerBody => ({ error: 'failed' }),
    );
    // Another hub has asked nothing.
    if (epoch == place()[1]) post([Op.Answer, id, value]);
  };

  const take = (message: HubMessage) => {
    if (message[0] == Op.Welcome) meet(message[1].epoch);
    tell(message);
    const [host, epoch, trail] = place();
    switch (message[0]) {
      case Op.Welcome: {
        welcome = message[1];
        if (isUnknown && doubted == epoch) {
          risk();
          tell([Cue.Lose]);
        }
        doubted = undefined;
        pause = Ms.Pause;
        since = 0;
        const { lock } = welcome;
        const locks = locksOf();
        // A page that leads keeps its locks when it is frozen.
        asks = !locks || !lock || host == 'leader-tab';
        listen();
        if (lock && locks) locks.request(lock, { mode: 'shared' }, () => place()[1] == epoch && lost(epoch));
        break;
      }
      case Op.Script:
        // WebKit restarts a worker so, and connects a page anew that comes out of the cache: the epoch of the welcome tells.
        if (!epoch || doubted) break;
        doubted = epoch;
        isUnknown = false;
        greet();
        expect();
        break;
      case Op.Who:
      case Op.Beat:
        // Another hub answers at the same port, or the hub had given this tab up. In doubt it is about what was said before.
        if (doubted && message[0] == Op.Who && !isUnknown) {
          isUnknown = true;
          // Or about its hello: the hub does not answer that of a tab which it had given up.
          greet();
          expect();
        }
        if (!epoch || doubted || message[1] == epoch) break;
        stop();
        // The hub that had given this tab up still sends what it has of it, and a restarted one says the same.
        if (message[0] == Op.Who) risk();
        forget();
        greet();
        expect();
        break;
      case Op.Crashed:
      case Op.Unavailable: {
        const [op, code, dead] = message as readonly unknown[];
        if (op == Op.Unavailable && !code) return wait();
        if (op == Op.Crashed && dead && (dead != epoch || dead == doubted)) break;
        // Goes to a fresh hub: at once, but one a second when they die young.
        change(Leave.Dead, Date.now() - lostAt < Ms.Young ? Ms.Pause : 0);
        lostAt = Date.now();
        break;
      }
      case Op.Move:
        change(Leave.Settled, 0, message[1]);
        break;
      case Op.Beside:
        trail.add(`beside: protocol ${message[1]}`);
        tell([Cue.Look]);
        break;
      case Op.Need: {
        const [, , id, kind] = message;
        for (const handle of handles) {
          const ask = handle(message);
          if (ask) answer(id, kind, ask);
        }
        break;
      }
      case Op.Status:
        // Below the best host a lost connection is the occasion to try that again: nothing is open, and no attempt has begun.
        if (
          host != (globalThis.SharedWorker ? 'shared-worker' : 'leader-tab') &&
          host != where.use &&
          (message[4] ?? 0) > Date.now() &&
          Date.now() - soughtAt > Ms.Minute &&
          ![...handles].some((handle) => handle([Cue.Look]))
        ) {
          change(Leave.Dead, 0);
        }
    }
  };

  const [push, clear] = createInbox(post, handles, take);

  const suspend = () => {
    post([Op.Suspend]);
    risk();
  };
  const online = () => {
    post([Op.Online, +navigator.onLine as Bit]);
    if (navigator.onLine) next?.();
  };
  const look = () => post([Op.Visibility, +!document.hidden as Bit, +document.hasFocus() as Bit]);
  const page: Record<string, (event: PageTransitionEvent) => unknown> = {
    pagehide({ persisted }) {
      if (persisted) suspend();
      else depart();
    },
    pageshow({ persisted }) {
      if (!persisted) return;
      // WebKit drops the lock of a cached page, sooner or later: it takes another.
      hold(() => {
        risk();
        greet();
        expect();
      });
    },
    freeze: suspend,
    resume() {
      risk();
      post([Op.Resume]);
    },
    online,
    offline: online,
    visibilitychange: look,
    focus: look,
    blur: look,
  };
  for (const type in page) addEventListener(type, page[type] as EventListener, true);
  // Firefox interrupts what a page runs when its tab is closed, and with it the first listener.
  addEventListener('pagehide', page.pagehide as EventListener);
  // What has happened since hello.
  look();
  online();

  return [
    () => {
      stop();
      leave();
      clear();
    },
    (first) => search(undefined, first),
  ];
};

/** The connection of handles whose hub is gone. */
const none = undefined as unknown as number;
