import { setTimeout as pause } from 'node:timers/promises';
import { type Browser, waitFor } from '../harness/index.js';
import type { Probe } from '../pages/probe.js';
import type { Step } from './parse.js';
import type { Player } from './player.js';
import type { Stage } from './stage.js';

/** Plays one step on one or more stages at once; what it fails with names the line and the host. */
export async function play(step: Step, ...stages: Stage[]): Promise<void> {
  const verb = verbs[step.verb];
  if (!verb) throw new Error(`${step.text}: there is no such verb`);
  for (const stage of stages) {
    // What the tabs show is told from the first step after all are open; not every scenario has a fault.
    if (!quiet.has(step.verb) || (step.verb === 'cast' && stage.casts === 0)) await stage.mark();
  }
  const failures: string[] = [];
  await Promise.all(
    stages.map(async (stage) => {
      try {
        await verb(stage, ...step.words);
      } catch (error) {
        failures.push(`${step.text} (${stage.host}): ${error instanceof Error ? error.message : error}`);
      }
    }),
  );
  if (failures.length > 0) throw new Error(failures.join('\n'));
}

/** Verbs that are no fault: a wait looks back past them. */
const quiet = new Set(['options', 'open', 'send', 'cast', 'wait', 'expect']);

/** What each verb does; SPEC of the verbs: tests/scenarios/README.md. */
const verbs: Record<string, (stage: Stage, ...words: string[]) => unknown> = {
  options(stage, json = '{}') {
    stage.options = JSON.parse(json);
  },

  async open(stage, ...names) {
    for (const name of names) await stage.open(name, 'this');
  },

  newer: (stage, name = '') => stage.open(name, 'newer'),

  async close(stage, ...names) {
    for (const name of names) await leave(stage, name).tab.close();
  },

  crash: (stage, name = '') => leave(stage, name).tab.crash(),

  async freeze(stage, name = '', seconds) {
    if (name !== 'worker') return away(stage.player(name)).tab.freeze();
    await stage.browser.faults.freezeWorker();
    if (!seconds) return;
    await pass(seconds);
    stage.browser.faults.thawWorker();
    stage.faultAt = Date.now();
  },

  async thaw(stage, name = '') {
    if (name === 'worker') return stage.browser.faults.thawWorker();
    await back(stage.player(name)).tab.thaw();
  },

  async cache(stage, name = '') {
    await away(stage.player(name)).tab.navigate(stage.server.page('/bare.html'));
    // What is posted before the hub has heard that the page is cached takes it out of the cache again.
    const awake = [...stage.players.values()].filter(({ isAway }) => !isAway);
    await awake[0]?.tab.run((tabs) => window.tabsAre(tabs), awake.length);
  },

  async restore(stage, name = '') {
    const { tab } = back(stage.player(name));
    await tab.back();
    await tab.waitFor('the page to be out of the back-forward cache', () => window.restored.at(-1));
  },

  kill: (stage) => stage.tellWorker('close'),

  restart: (stage) => stage.tellWorker('restart'),

  async server(stage, mode = '', code) {
    const { control } = stage.server;
    if (mode === 'close') await control.close({ code: Number(code) });
    else if (mode === 'stop' || mode === 'start' || mode === 'reset') await control[mode]();
    else if (mode === 'refuse') await control.fault({ kind: 'refuse', scope: 'new' });
    else if (mode === 'hang' || mode === 'half-open') await control.fault({ kind: mode, scope: 'live' });
    else if (mode === 'heal') await control.fault({ kind: 'none' });
    else throw new Error(`there is no server ${mode}`);
  },

  async sleep(stage, seconds = '') {
    // One sleep for all that play at once.
    const sleep = sleeps.get(stage.browser) ?? sleepOf(stage.browser, seconds);
    sleeps.set(stage.browser, sleep);
    await sleep;
    sleeps.delete(stage.browser);
    stage.faultAt = Date.now();
  },

  offline: (stage, name = '') => tellOnline(stage.player(name), false),

  online: (stage, name = '') => tellOnline(stage.player(name), true),

  send: (stage, name = '', count = '1') => stage.player(name).send(Number(count)),

  cast: (stage, count = '1') => stage.cast(Number(count)),

  token: (stage, mode) => stage.server.control.tokens({ mode: mode === 'refuse' ? 'refuse-known' : 'off' }),

  async login(stage, name = '', key = '') {
    const player = stage.player(name);
    await player.untilHeard(stage.casts);
    player.part.until = stage.casts;
    await player.tab.run((socket) => window.socket(socket).close({ purge: true }), player.part.socket);
    await player.listen(stage.server.socket(), stage.options, key, stage.casts);
  },

  async wait(stage, ...words) {
    const timeout = withinOf(words);
    if (words[0] === 'connections') return void (await stage.server.control.wait({ live: Number(words[1]), timeout }));
    const state = words.pop() ?? '';
    const deadline = Date.now() + timeout;
    for (const name of words) {
      const status = await stage.player(name).until(state, Math.max(0, deadline - Date.now()));
      if (state === 'open') stage.handleOpen(status.since);
    }
  },

  async expect(stage, name = '', what = '', ...wished) {
    const player = stage.player(name);
    const seen = () => player.probe().then((probe) => seenIn(probe, what));
    await waitFor(`tab ${name} to have seen ${what} ${wished.join(' ')}`, seen, {
      until: (seen) => seen.includes(wished.join(' ')),
    });
  },
};

/** What a tab has seen of one kind, as `expect` writes it. */
function seenIn({ gaps, failed, statuses }: Probe, what: string): string[] {
  switch (what) {
    case 'gap':
      return gaps.map(({ reason }) => reason);
    case 'reason':
      return statuses.map(({ reason }) => reason.replace(/;.*/, ''));
    case 'epochs':
      return [`${new Set(statuses.map(({ epoch }) => epoch).filter(Boolean)).size}`];
    case 'failed': {
      const reasons = failed.map(({ reason }) => reason);
      const sum = (wanted: string) =>
        failed.reduce((sum, { count, reason }) => sum + (reason === wanted ? count : 0), 0);
      return reasons.map((reason) => `${reason} ${sum(reason)}`);
    }
    default:
      throw new Error(`nothing is expected of ${what}`);
  }
}

/** Takes a tab off the stage that ends. */
function leave(stage: Stage, name: string): Player {
  const player = stage.player(name);
  stage.players.delete(name);
  return player;
}

function away(player: Player): Player {
  player.isAway = true;
  return player;
}

function back(player: Player): Player {
  player.isAway = false;
  return player;
}

const sleeps = new WeakMap<Browser, Promise<void>>();

async function sleepOf({ faults }: Browser, seconds: string): Promise<void> {
  faults.sleep();
  await pass(seconds);
  faults.release();
}

/** The fault is that time passes, so here it does. */
const pass = (seconds: string) => pause(Number(seconds) * 1000);

function tellOnline({ tab }: Player, isOnline: boolean): Promise<void> {
  return tab.run((isOnline) => {
    Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => isOnline });
    dispatchEvent(new Event(isOnline ? 'online' : 'offline'));
  }, isOnline);
}

/** Takes `within S` off the end of a wait; in ms. */
function withinOf(words: string[]): number {
  const [seconds] = words.at(-2) === 'within' ? words.splice(-2).slice(1) : ['10'];
  return Number(seconds) * 1000;
}
