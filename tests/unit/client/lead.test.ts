import { type HostOptions, SharedWebSocket } from 'tabwire';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { Channel, ether } from './ether.js';
import { installFakes, settle } from './fakes.js';
import { installLocks } from './locks.js';
import { installPages, locks, Page, place } from './pages.js';

beforeEach(installPages);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const later = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Opens pages at once. */
const openPages = async (...names: string[]) => {
  const pages = names.map((name) => new Page(name).open());
  await settle();
  return pages as [Page, Page, Page];
};

/** Something that holds the lock and says nothing: a page that is frozen or blocked. */
const holdLock = async () => {
  let release = () => {};
  let isRobbed = false;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  locks
    .request(place, {}, () => held)
    .catch(() => {
      isRobbed = true;
    });
  await settle();
  return { release: () => release(), isRobbed: () => isRobbed };
};

/** The page that has asked to follow a leader, by what it calls itself. */
const joiner = (term: string) =>
  (ether.under(place) as string[][]).filter(([what, of]) => what === 'join' && of === term).at(-1)?.[2];

let terms = 0;

/** A leader that says only what a test says for it, and a page that follows it. */
const follow = async () => {
  const term = `term ${terms++}`;
  const lock = await holdLock();
  const control = new Channel(place);
  const page = new Page().open();
  await settle();
  control.postMessage(['lead', term]);
  await settle();
  const me = `${joiner(term)}`;
  const own = new Channel(`${place}:${term}:${me}`);
  let number = 0;
  /** How often the page has said that it is away. */
  const away = () => own.got.filter((data) => Number(data) < 0).length;
  const say = async (...message: unknown[]) => {
    own.postMessage(away() ? [number++, message, -away()] : [number++, message]);
    await settle();
  };
  const shared = (conn: number) => new Channel(`${place}:${term}:${conn}`);
  /** A batch for this page and others, under this number. */
  const batch = (number: number, first: number, ...frames: string[]) => [
    [
      ['another', 70, 7],
      [me, number, first],
    ],
    [Op.Batch, 7, 7, frames, 0],
  ];
  return { term, lock, control, page, me, own, say, shared, batch };
};

/** Such a page that has been told of connection 7, and the channel of that. */
const followAttached = async () => {
  const following = await follow();
  await following.say(Op.Script, 'build');
  await following.say(Op.Attached, 1, 7);
  return { ...following, conn: following.shared(7) };
};

describe('a page alone', () => {
  test('leads at once, and tells its worker so', async () => {
    const [page] = await openPages('page');
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    const [[, claimed]] = (ether.under(place) as string[][]).filter(([what]) => what === 'claim') as [string[]];
    expect(page.worker.got).toEqual([[Op.Lead, place, claimed]]);
    page.post(Op.Hello, {});
    expect(page.worker.got.at(-1)).toEqual([Op.Hello, {}]);
    await later(10_000);
    expect(page.workers).toHaveLength(1);
    expect(locks.thefts).toBe(0);
  });

  test('looks for leaders of its own place only', async () => {
    new Page().open({ workerUrl: '/mine.js#mine' });
    await settle();
    expect(ether.names).toEqual([`${place}#mine`, `${place}#mine`]);
    expect(locks.isHeld(`${place}#mine`)).toBe(true);
  });

  test('hears of the error of its worker', async () => {
    const [page] = await openPages('page');
    const failed = vi.fn();
    (page.port as Worker).onerror = failed;
    page.worker.onerror?.(new Event('error'));
    expect(failed).toHaveBeenCalledOnce();
  });

  test('whose worker is refused fails, gives the lock back and leaves nothing open', async () => {
    const page = new Page();
    page.isRefused = true;
    page.open();
    await later(3000);
    expect(page.failed).toEqual(['refused']);
    expect(locks.isHeld(place)).toBe(false);
    expect(page.names).toEqual([]);
    expect(page.listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that may have no locks fails too, and once', async () => {
    locks.isForbidden = true;
    const page = new Page().open();
    await later(3000);
    expect(page.failed).toEqual(['refused']);
    expect(page.names).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that has given up before the election was loaded opens nothing', async () => {
    const page = new Page();
    page.isWanted = false;
    page.open();
    await later(3000);
    expect([page.names, page.workers, page.listeners.size]).toEqual([[], [], 0]);
    expect(locks.isHeld(place)).toBe(false);
  });

  test('that nobody waits for any more leads nobody', async () => {
    const lock = await holdLock();
    const page = new Page().open();
    (page.port as MessagePort | undefined)?.close();
    lock.release();
    await later(5000);
    expect(page.workers).toEqual([]);
    expect(locks.isHeld(place)).toBe(false);
    expect(page.names).toEqual([]);
    expect(page.listeners.size).toBe(0);
  });
});

describe('a page that finds a leader', () => {
  test('follows it: says what it has to say after the first message, and waits for the lock no more', async () => {
    const { page, lock, own, say } = await follow();
    expect(locks.waiting(place)).toBe(0);
    page.post(Op.Hello, {});
    await later(5000);
    expect(own.got).toEqual([]);
    await say(Op.Script, 'build');
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    await settle();
    expect(own.got).toEqual([[Op.Hello, {}]]);
    lock.release();
    await later(5000);
    expect(page.workers).toEqual([]);
    expect(lock.isRobbed()).toBe(false);
  });

  test('in the moment in which it gets the lock gives that back', async () => {
    const lock = await holdLock();
    const page = new Page().open();
    await settle();
    locks.late = [];
    lock.release();
    await settle();
    new Channel(place).postMessage(['lead', 'there']);
    await settle();
    expect(locks.isHeld(place)).toBe(true);
    for (const run of locks.late) run();
    await settle();
    expect(locks.isHeld(place)).toBe(false);
    expect(page.workers).toEqual([]);
    expect(page.failed).toEqual([]);
    expect(joiner('there')).toBeDefined();
  });

  test('has the channel open before it says that it joins', async () => {
    const [, page] = await openPages('leader', 'page');
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    expect(page.workers).toEqual([]);
  });

  test('that nobody waits for any more closes, and says nothing', async () => {
    const { page, own, say } = await follow();
    (page.port as MessagePort | undefined)?.close();
    await say(Op.Script, 'build');
    expect(own.got).toEqual([]);
    expect(page.names).toEqual([]);
    expect(page.listeners.size).toBe(0);
  });

  test('that leaves before it has said anything looks for another', async () => {
    const { term, page, control, lock } = await follow();
    lock.release();
    control.postMessage(['left', term]);
    await settle();
    expect(page.leads).toBe(true);
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    expect(page.names.filter((name) => name.includes(term))).toEqual([]);
  });
});

describe('a page whose leader says nothing', () => {
  test('steals the lock after a second, not before', async () => {
    const lock = await holdLock();
    const page = new Page().open();
    await later(999);
    expect(page.heard).toEqual([]);
    expect(lock.isRobbed()).toBe(false);
    await later(1);
    expect(lock.isRobbed()).toBe(true);
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    await later(10_000);
    expect(locks.thefts).toBe(1);
    expect(locks.waiting(place)).toBe(0);
  });

  test('robs none that answers just before', async () => {
    const lock = await holdLock();
    const page = new Page().open();
    await later(999);
    new Channel(place).postMessage(['lead', 'late']);
    await later(5000);
    expect(lock.isRobbed()).toBe(false);
    expect(page.workers).toEqual([]);
  });

  test('hears first what had come meanwhile when it was blocked itself', async () => {
    const lock = await holdLock();
    new Page().open();
    await settle();
    // Of timers and messages that wait, a browser may run the timers first.
    vi.advanceTimersToNextTimer();
    new Channel(place).postMessage(['lead', 'there']);
    await later(5000);
    expect(lock.isRobbed()).toBe(false);
  });

  test('waits another second when somebody is about to lead', async () => {
    const lock = await holdLock();
    new Page().open();
    await later(900);
    new Channel(place).postMessage(['claim', 'another']);
    await later(999);
    expect(lock.isRobbed()).toBe(false);
    await later(1);
    expect(lock.isRobbed()).toBe(true);
  });

  test('waits for as long as the script of one that has the lock takes to load', async () => {
    const leader = new Page('leader');
    leader.isLoaded = false;
    leader.open();
    const page = new Page().open();
    await later(2900);
    expect(locks.thefts).toBe(0);
    leader.worker.load();
    await later(2000);
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    expect(page.workers).toEqual([]);
    expect(locks.thefts).toBe(0);
    expect((ether.under(place) as string[][]).filter(([what]) => what === 'claim').length).toBeLessThan(8);
  });

  test('is told nothing by what is no message of a leader', async () => {
    const lock = await holdLock();
    const page = new Page().open();
    const control = new Channel(place);
    for (const data of ['lead', null, undefined, 5, {}, [], ['back', 'x'], ['left', 'x'], ['who']]) {
      control.postMessage(data);
    }
    await later(1000);
    expect(lock.isRobbed()).toBe(true);
    expect(page.leads).toBe(true);
  });

  test('takes its place at once when that gives it back', async () => {
    const lock = await holdLock();
    const page = new Page().open();
    await later(300);
    lock.release();
    await settle();
    expect(page.leads).toBe(true);
    expect(locks.thefts).toBe(0);
  });
});

describe('of three pages that seek at once', () => {
  test('one leads and two follow, and the lock is stolen from nobody', async () => {
    const pages = await openPages('one', 'two', 'three');
    await later(10_000);
    expect(pages.map(({ workers }) => workers.length)).toEqual([1, 0, 0]);
    for (const page of pages) expect(page.heard).toEqual([[Op.Script, 'build']]);
    expect(pages[0].worker.joined).toHaveLength(2);
    expect(locks.thefts).toBe(0);
    expect(locks.waiting(place)).toBe(0);
  });

  test('and steal the lock in the same moment, the last leads and the others are told that theirs is gone', async () => {
    await holdLock();
    const pages = await openPages('one', 'two', 'three');
    await later(1000);
    expect(pages.filter(({ leads }) => leads)).toHaveLength(1);
    for (const page of pages) {
      if (!page.leads && page.workers[0]) expect(page.heard.at(-1)).toEqual([Op.Crashed, null, null, 1]);
    }
    await later(10_000);
    expect(pages.filter(({ leads }) => leads)).toHaveLength(1);
  });
});

describe('a leader', () => {
  const said = (page: Page) => {
    const [, , term] = page.worker.got[0] as string[];
    return (ether.under(place) as string[][]).filter(([, of]) => of === term).map(([what]) => what);
  };

  /** That is what was so when the worker was ended. */
  const first = (page: Page) => {
    expect(page.worker.before?.hasLock).toBe(true);
    expect(page.worker.before?.said).not.toContainEqual(['left', expect.anything()]);
  };

  test('whose lock is stolen ends its worker, says that it has left, and tells its client that the hub has crashed unheard', async () => {
    const [page] = await openPages('page');
    locks.request(place, { steal: true }, () => new Promise(() => {}));
    await settle();
    expect(page.worker.isEnded).toBe(true);
    expect(page.worker.before?.said).not.toContainEqual(['left', expect.anything()]);
    expect(said(page).at(-1)).toBe('left');
    expect(page.heard.at(-1)).toEqual([Op.Crashed, null, null, 1]);
    expect(page.failed).toEqual([]);
  });

  test.each(['freeze', 'pagehide'])('ends its worker before anything else at %s', async (type) => {
    const [page] = await openPages('page');
    page.fire(type, true);
    expect(page.worker.isEnded).toBe(true);
    first(page);
    await settle();
    expect(said(page).filter((what) => what === 'left')).toHaveLength(1);
    expect(locks.isHeld(place)).toBe(false);
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    if (type === 'pagehide') expect(page.names).toEqual([]);
  });

  test.each([
    ['freeze', 'resume'],
    ['pagehide', 'pageshow'],
  ])('that was stopped by %s tells its client at %s', async (stop, go) => {
    const [page] = await openPages('page');
    page.fire(stop, true);
    await later(60_000);
    page.fire(go, true);
    expect(page.heard).toEqual([[Op.Script, 'build'], [Op.Crashed]]);
    page.post(Op.Bye);
    page.leave();
    expect(page.listeners.size).toBe(0);
    expect(said(page).filter((what) => what === 'left')).toHaveLength(1);
  });

  test('that is shown for the first time, or goes on, has nothing to tell', async () => {
    const [page] = await openPages('page');
    page.fire('pageshow', false);
    page.fire('pageshow', true);
    page.fire('resume');
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    expect(page.leads).toBe(true);
  });

  test('that is left for good closes its channel, and leaves the rest to its end', async () => {
    const [page] = await openPages('page');
    page.fire('pagehide', false);
    expect(page.names).toEqual([]);
    expect(page.worker.isEnded).toBe(false);
  });

  test('that was frozen is followed by who had waited for it', async () => {
    const [page, other] = await openPages('page', 'other');
    page.fire('freeze');
    await settle();
    expect(other.heard.at(-1)).toEqual([Op.Crashed]);
    other.leave();
    const next = new Page('next').open();
    await settle();
    expect(next.leads).toBe(true);
    expect(locks.thefts).toBe(0);
  });

  test('closes: gives the lock back, ends its worker, channels and listeners', async () => {
    const [page] = await openPages('page');
    page.leave();
    await settle();
    expect(page.worker.isEnded).toBe(true);
    expect(said(page).at(-1)).toBe('left');
    expect(locks.isHeld(place)).toBe(false);
    expect(ether.names).toEqual([]);
    expect(page.listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    for (const type of ['freeze', 'resume', 'pagehide', 'pageshow']) page.fire(type, true);
    expect(page.heard).toEqual([[Op.Script, 'build']]);
  });

  test('that closes is followed by the next, whose followers it gets', async () => {
    const [page, other] = await openPages('page', 'other');
    page.leave();
    await settle();
    expect(other.heard.at(-1)).toEqual([Op.Crashed]);
    other.leave();
    const [next, last] = await openPages('next', 'last');
    expect(next.leads).toBe(true);
    expect(last.heard).toEqual([[Op.Script, 'build']]);
  });
});

describe('a follower', () => {
  test('is told at once that its leader has left', async () => {
    const { term, page, control, say } = await follow();
    await say(Op.Script, 'build');
    control.postMessage(['left', term]);
    await settle();
    expect(page.heard.at(-1)).toEqual([Op.Crashed]);
  });

  test('is not told that another has', async () => {
    const { page, control, say } = await follow();
    await say(Op.Script, 'build');
    for (const of of ['another', undefined]) control.postMessage(['left', of]);
    control.postMessage(['claim', 'another']);
    control.postMessage(['lead', 'another']);
    await later(5000);
    expect(page.heard).toEqual([[Op.Script, 'build']]);
    expect(joiner('another')).toBeUndefined();
  });

  test('does not follow a leader that has said that it has left', async () => {
    const { term, page, control, say, lock } = await follow();
    await say(Op.Script, 'build');
    control.postMessage(['left', term]);
    await settle();
    page.leave();
    const me = joiner(term);
    // Its worker had answered before it was ended.
    const again = new Page().open();
    await settle();
    control.postMessage(['lead', term]);
    await later(999);
    expect(joiner(term)).toBe(me);
    expect(lock.isRobbed()).toBe(false);
    await later(1);
    expect(again.leads).toBe(true);
  });

  test('nor does one that hears so before it has found any', async () => {
    await holdLock();
    const page = new Page().open();
    const control = new Channel(place);
    control.postMessage(['left', 'gone']);
    control.postMessage(['lead', 'gone']);
    control.postMessage(['lead', 'there']);
    await settle();
    expect(joiner('gone')).toBeUndefined();
    expect(page.names).toEqual([place, `${place}:there:${joiner('there')}`]);
  });

  test('closes: no channel and no listener is left', async () => {
    const { page } = await followAttached();
    expect(page.names).toHaveLength(3);
    page.leave();
    await settle();
    expect(page.names).toEqual([]);
    expect(page.listeners.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('hears nothing after it has closed, nor opens anything', async () => {
    const { page, own, conn, batch } = await followAttached();
    page.onheard = ([op]) => op === Op.Crashed && page.leave();
    own.postMessage([4, [Op.Attached, 2, 8]]);
    conn.postMessage(batch(3, 10, 'late'));
    await settle();
    own.postMessage([2, [Op.Crashed]]);
    await settle();
    expect(page.heard.slice(2)).toEqual([[Op.Crashed]]);
    expect(page.names).toEqual([]);
  });

  test('tells the leader which connections it has the channel of, once it is attached', async () => {
    const { page, own, say, term } = await follow();
    await say(Op.Script, 'build');
    await say(Op.Welcome, {});
    expect(own.got).toEqual([]);
    await say(Op.Attached, 1, 7);
    expect(page.names).toContain(`${place}:${term}:7`);
    await say(Op.Attached, 2, 7);
    await say(Op.Attached, 3, 8);
    expect(own.got).toEqual([7, 8]);
    expect(page.heard.slice(2)).toEqual([
      [Op.Attached, 1, 7],
      [Op.Attached, 2, 7],
      [Op.Attached, 3, 8],
    ]);
  });

  test('puts in order what the channel of a connection brings before what came before it', async () => {
    const { page, own, conn, batch } = await followAttached();
    conn.postMessage(batch(3, 11, 'd'));
    conn.postMessage(batch(5, 13, 'f'));
    await settle();
    expect(page.heard).toHaveLength(2);
    own.postMessage([2, [Op.Batch, 7, 10, ['c'], 0]]);
    own.postMessage([4, [Op.Batch, 7, 12, ['e'], 0]]);
    await settle();
    expect(page.heard.slice(2)).toEqual([
      [Op.Batch, 7, 10, ['c'], 0],
      [Op.Batch, 7, 11, ['d'], 0],
      [Op.Batch, 7, 12, ['e'], 0],
      [Op.Batch, 7, 13, ['f'], 0],
    ]);
  });

  test('waits as well for the channel of a connection', async () => {
    const { page, own, conn, batch } = await followAttached();
    own.postMessage([3, [Op.Status, 7, 'closed']]);
    await settle();
    expect(page.heard).toHaveLength(2);
    conn.postMessage(batch(2, 10, 'last'));
    await settle();
    expect(page.heard.slice(2)).toEqual([
      [Op.Batch, 7, 10, ['last'], 0],
      [Op.Status, 7, 'closed'],
    ]);
  });

  test('takes nothing that is for other pages, and nothing twice', async () => {
    const { page, own, conn, batch } = await followAttached();
    conn.postMessage([[['another', 2, 10]], [Op.Batch, 7, 10, ['not this'], 0]]);
    conn.postMessage(batch(2, 10, 'this'));
    conn.postMessage(batch(2, 10, 'this'));
    await settle();
    own.postMessage([2, [Op.Batch, 7, 10, ['this'], 0]]);
    own.postMessage([3, [Op.Ask]]);
    await settle();
    expect(page.heard.slice(2)).toEqual([[Op.Batch, 7, 10, ['this'], 0], [Op.Ask]]);
  });

  describe('that is hidden', () => {
    test('closes all its channels, says so to the leader, and drops what is posted meanwhile', async () => {
      const { page, own } = await followAttached();
      page.fire('pagehide', true);
      page.post(Op.Visibility, 0, 0);
      await settle();
      expect(page.names).toEqual([]);
      expect(own.got).toEqual([7, -1]);
    });

    test('opens them again when it is back, one after the other', async () => {
      const { page, term, control, own, say, me, conn, batch } = await followAttached();
      page.fire('pagehide', true);
      page.fire('pageshow', true);
      expect(page.names).toEqual([place]);
      page.post(Op.Hello, {});
      await say(Op.Welcome, {});
      expect(page.names).toEqual([place, `${place}:${term}:${me}`]);
      await say(Op.Attached, 1, 7);
      expect(own.got).toEqual([7, -1, [Op.Hello, {}], 7]);
      conn.postMessage(batch(4, 11, 'again'));
      await settle();
      expect(page.heard.at(-1)).toEqual([Op.Batch, 7, 11, ['again'], 0]);
      control.postMessage(['left', term]);
      await settle();
      expect(page.heard.at(-1)).toEqual([Op.Crashed]);
    });

    test('goes on after what was lost on the way', async () => {
      const { page, own, conn, batch } = await followAttached();
      conn.postMessage(batch(3, 11, 'early'));
      await settle();
      page.fire('pagehide', true);
      own.postMessage([2, [Op.Batch, 7, 10, ['lost'], 0]]);
      conn.postMessage(batch(4, 12, 'lost'));
      await settle();
      page.fire('pageshow', true);
      page.post(Op.Hello, {});
      own.postMessage([5, [Op.Welcome, {}], -1]);
      own.postMessage([6, [Op.Attached, 1, 7], -1]);
      await settle();
      conn.postMessage(batch(8, 14, 'b'));
      own.postMessage([7, [Op.Batch, 7, 13, ['a'], 0], -1]);
      await settle();
      expect(page.heard.slice(2)).toEqual([
        [Op.Welcome, {}],
        [Op.Attached, 1, 7],
        [Op.Batch, 7, 13, ['a'], 0],
        [Op.Batch, 7, 14, ['b'], 0],
      ]);
    });

    test('confirms what it hears of failed sends, and takes nothing that was said before the leader knew that it was away', async () => {
      const { page, own } = await followAttached();
      const failed = [1, 2].map((first) => [Op.Failed, 1, first, 1, 'expired']);
      own.postMessage([2, failed[0]]);
      await settle();
      expect(own.got).toEqual([7, null]);
      page.fire('pagehide', true);
      page.fire('pageshow', true);
      page.post(Op.Hello, {});
      // The worker of the leader was frozen, and says this before it hears what the page has said.
      own.postMessage([3, failed[1]]);
      await settle();
      own.postMessage([4, failed[1], -1]);
      await settle();
      expect(page.heard.slice(2)).toEqual(failed);
      expect(own.got).toEqual([7, null, -1, [Op.Hello, {}], null]);
    });

    test('before the leader has answered joins it anew, by another name, and hears what is said to that', async () => {
      const { page, term, control, me, own } = await follow();
      page.fire('pagehide', true);
      page.fire('pageshow', true);
      await settle();
      control.postMessage(['lead', term]);
      await settle();
      const again = `${joiner(term)}`;
      expect(again).not.toBe(me);
      own.postMessage([0, [Op.Script, 'old']]);
      new Channel(`${place}:${term}:${again}`).postMessage([0, [Op.Script, 'new']]);
      await settle();
      expect(page.heard).toEqual([[Op.Script, 'new']]);
    });

    test('is back when its client says hello, which hears of it first', async () => {
      const { page, own } = await followAttached();
      page.fire('pagehide', true);
      page.post(Op.Resume);
      page.post(Op.Hello, {});
      page.fire('pageshow', true);
      page.post(Op.Alive);
      await settle();
      expect(own.got).toEqual([7, -1, [Op.Hello, {}], [Op.Alive]]);
    });

    test('and is shown for the first time has nothing to say', async () => {
      const { page } = await follow();
      const count = ether.posted.length;
      page.fire('pageshow', false);
      expect(ether.posted).toHaveLength(count);
    });
  });
});

describe('with a leader whose worker runs', () => {
  test('all that a page is posted comes in order, whichever channel is the faster', async () => {
    const [leader, ...followers] = await openPages('leader', 'one', 'two');
    const term = leader.worker.got[0]?.[2] as string;
    const ports = leader.worker.joined;
    for (const port of ports) port.postMessage([Op.Attached, 1, 7]);
    await settle();
    const own = followers.map(({ names }) => names.find((name) => name !== place && !name.endsWith(':7')) ?? '');
    const expected = [0, 1].map(
      () =>
        [
          [Op.Script, 'build'],
          [Op.Attached, 1, 7],
        ] as unknown[][],
    );
    for (let turn = 0; turn < 12; turn++) {
      // In turn the one or the other is held back, or one of the pages.
      const held = [[`${place}:${term}:7`], own, own.slice(0, 1), []][turn % 4] ?? [];
      for (const name of held) ether.hold(name);
      const batch: unknown[] = [Op.Batch, 7, null, [`frame ${turn}`], 0];
      for (const [index, port] of ports.entries()) {
        if (turn % 3 === 1) port.postMessage([Op.Beat, `${turn}`]);
        batch[2] = 10 * index + turn;
        port.postMessage(batch);
        if (turn % 3 === 2) port.postMessage([Op.Ask]);
        if (turn % 3 === 1) expected[index]?.push([Op.Beat, `${turn}`]);
        expected[index]?.push([Op.Batch, 7, 10 * index + turn, [`frame ${turn}`], 0]);
        if (turn % 3 === 2) expected[index]?.push([Op.Ask]);
      }
      await settle();
      for (const name of held) ether.release(name);
      await settle();
    }
    // Which of them has joined first is not said.
    const key = (heard: unknown[]) => (heard[2] as unknown[])[2];
    expect(followers.map(({ heard }) => heard).sort((a, b) => Number(key(a)) - Number(key(b)))).toEqual(expected);
    expect(ether.under(`${place}:${term}:7`)).toHaveLength(12);
  });
});

describe('the rung of the leader', () => {
  /** Opens a socket for which there is nothing else. */
  const open = async () => {
    const host: HostOptions = { use: 'leader-tab', wasmUrl: `/led-${terms++}.wasm` };
    const socket = new SharedWebSocket('wss://server.example/ws', [], { host });
    await settle();
    return socket;
  };

  beforeEach(async () => {
    vi.unstubAllGlobals();
    await installFakes();
  });

  test.each([
    ['locks', () => {}],
    [
      'channels',
      () => {
        installLocks();
        vi.stubGlobal('BroadcastChannel', undefined);
      },
    ],
  ])('is missing without %s', async (_, breakIt) => {
    breakIt();
    const socket = await open();
    expect(socket.status).toMatchObject({ state: 'failed', reason: 'wasm-unavailable; leader-tab: missing' });
  });
});
