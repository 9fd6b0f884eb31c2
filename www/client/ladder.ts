// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import type { Past, Rung } from './connect.js';
import { deadline, Ms } from './deadline.js';
import type { HostOptions } from './options.js';
import { Protocol, type WelcomeBody } from './protocol.js';

/**
 * The rungs to try, best first.
 *
 * - `shared` has failed, with `why`: the worker of another hub of this browser, if one answers, then the hub of the leader among
 *   the pages, then a dedicated worker of this page, then the page itself.
 * - The hub has died: twice and shortly its own worker, since a browser may still connect to the dead one, then a fresh
 *   worker with a name in which all its tabs meet, then the ladder from the top.
 * - The hub says where to go: there, then what is this page's own, since the hub would only say so again.
 */
export const rungsFor = (where: HostOptions, shared: Rung, past?: Past, why?: string): Rung[] => {
  const { use, scriptDeadline = 3000, workerUrl } = where;
  // Has no name, for that there is none is no news.
  const other: Rung = [
    '',
    scriptDeadline + Ms.Brief,
    (use, fail) => {
      const { hash } = new URL(`${workerUrl ?? ''}`, document.baseURI);
      ask(hash)
        .then((hub) => openNamed(hub)(use, fail))
        .catch(() => fail('none'));
    },
  ];
  // Bundlers find the worker by `new Worker(new URL(…))`: this must stay whole and literal.
  const openWorker = () =>
    workerUrl
      ? new Worker(workerUrl as URL, { type: 'module' })
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  const worker: Rung = ['worker', scriptDeadline, (use) => use(openWorker()), 'this-tab'];
  // Another page may have to be found silent first, and this one to take its place.
  const leader: Rung = [
    'leader-tab',
    scriptDeadline + 2 * Ms.Pause,
    (use, fail) => {
      const { locks } = navigator;
      if (!locks || !globalThis.BroadcastChannel) return fail('missing');
      import('./lead.js')
        .then(({ openLed }) => openLed(where, locks, openWorker)(use, fail))
        .catch(() => fail('refused'));
    },
    'leader-tab',
  ];
  const page: Rung = [
    'page',
    scriptDeadline,
    (use, fail) => {
      import('../../worker/local.js')
        .then(({ serve }) => {
          const { port1, port2 } = new MessageChannel();
          serve(port2);
          use(port1);
        })
        .catch(() => fail('refused'));
    },
    'this-tab',
  ];

  const own =
    use == 'shared-worker'
      ? []
      : use == 'leader-tab'
        ? [leader]
        : use == 'this-tab'
          ? [worker, page]
          : [leader, worker, page];
  const [hub, at, open, target] = past ?? [];
  if (use == 'this-tab' || use == 'leader-tab') return own;
  if (target) return [['moved', scriptDeadline, openNamed(target)], other, ...own];
  if (!past) return why == 'missing' || why == 'refused' ? own : [other, ...own];
  const ladder = [shared, other, ...own];
  if (!hub || !open || at != 'shared-worker') return ladder;
  const again: Rung = ['', Ms.Brief, open];
  // A worker that takes the place of a fresh one is named after the same first.
  const fresh = { ...hub, name: hub.name.replace(/~.*|$/, `~${hub.epoch}`) };
  return [again, again, ['fresh', scriptDeadline, openNamed(fresh)], ...ladder];
};

/** What a SharedWorker is made of. */
type Named = Pick<WelcomeBody, 'workerUrl' | 'name'>;

/** Opens the SharedWorker of that url and name, if it is of this origin. */
const openNamed =
  ({ workerUrl, name }: Named): Rung[2] =>
  (use) => {
    if (new URL(workerUrl).origin !== location.origin) throw new Error('origin');
    use(new SharedWorker(workerUrl, { type: 'module', name }));
  };

/** Asks the hubs of this browser who is there, and takes the first that answers. */
const ask = async (hash: string) => {
  const channel = new BroadcastChannel(`tabwire${hash}`);
  channel.postMessage(['who']);
  try {
    return await new Promise<Named>((found, fail) => {
      deadline(Ms.Brief, fail as () => void);
      channel.onmessage = ({ data }) => {
        const [what, major, , , , workerUrl, name] = Array.isArray(data) ? data : [];
        if (what === 'here' && major === Protocol.Major) found({ workerUrl, name });
      };
    });
  } finally {
    channel.close();
  }
};
