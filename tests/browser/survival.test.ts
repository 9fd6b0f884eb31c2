import { expect, test } from 'vitest';
import { describeEngines, type Use, waitFor } from './harness/index.js';
import { Random } from './scenarios/random.js';
import { Stage } from './scenarios/stage.js';
import { play } from './scenarios/verbs.js';

const bounds = { locks: 5000, heartbeat: 10_000 };
type Liveness = keyof typeof bounds;

/** Opens tabs, ends their worker, and gives how long it took until each tab that is left was open again. */
async function timeToRecover(use: Use, liveness: Liveness, names: string, end: string): Promise<number> {
  const stage = new Stage(use.browser, use.server, 'shared-worker', { liveness });
  await say(stage, `open ${names}`);
  await say(stage, end);
  const left = [...stage.players.keys()].join(' ');
  await say(stage, `wait ${left} reconnecting within 20`);
  await say(stage, `wait ${left} open within 20`);
  await use.server.control.wait({ live: 1 });
  const took = stage.recoverMs ?? Number.NaN;
  console.log(`${use.engine}, ${liveness}, ${end}: every tab live again after ${took} ms`);
  return took;
}

function say(stage: Stage, text: string): Promise<void> {
  const [verb = '', ...words] = text.split(' ');
  return play({ text, verb, words }, stage);
}

describeEngines(
  'a SharedWorker that is killed',
  (use) => {
    for (const liveness of ['locks', 'heartbeat'] as const) {
      test(`is followed by a fresh one within ${bounds[liveness]} ms (liveness ${liveness})`, async () => {
        expect(await timeToRecover(use, liveness, 'a b c', 'kill worker')).toBeLessThanOrEqual(bounds[liveness]);
      });
    }

    // WebKit's driver ends with the first page that crashes.
    test.skipIf(use.engine === 'webkit')('together with the tab that made it is followed as well', async () => {
      expect(await timeToRecover(use, 'locks', 'maker b c', 'crash maker')).toBeLessThanOrEqual(bounds.locks);
    });
  },
  { browser: { faults: true } },
);

/** How many tabs there are at most, and at the start. */
const most = 8;

declare global {
  interface Window {
    /** Asks every page of the origin how its socket is: `state epoch`, and the last message. Resolves when `tabs` have answered, or soon. */
    survey(tabs: number): Promise<{ hubs: string[]; heard: string[] }>;
  }
}

/** One page can ask all of them, which is much quicker than to look at each. */
function answerSurveys(): void {
  const channel = new BroadcastChannel('test-survey');
  const answer = (): [string, string] => {
    const { state, epoch } = window.socket().status;
    return [`${state} ${epoch}`, window.probe().texts.at(-1) ?? ''];
  };
  channel.onmessage = ({ data }) => data === 'how' && channel.postMessage(answer());
  window.survey = (tabs) =>
    new Promise((resolve) => {
      const answers = [answer()];
      const asking = new BroadcastChannel('test-survey');
      const end = () => {
        asking.close();
        resolve({ hubs: answers.map(([hub]) => hub), heard: answers.map(([, heard]) => heard) });
      };
      asking.onmessage = ({ data }) => {
        if (Array.isArray(data) && answers.push(data as [string, string]) === tabs) end();
      };
      channel.postMessage('how');
      setTimeout(end, tabs > 1 ? 200 : 0);
    });
}

/** Eight tabs at most, one hub, and what is done to them. */
class Crowd {
  readonly #stage: Stage;
  readonly #random: Random;
  readonly #frozen = new Set<string>();
  #opened = 0;

  constructor(use: Use, host: 'shared-worker' | 'leader-tab', random: Random) {
    this.#stage = new Stage(use.browser, use.server, host, { liveness: 'locks' });
    this.#random = random;
  }

  async open(): Promise<string> {
    const name = `tab${this.#opened++}`;
    await this.#stage.open(name, 'this');
    await this.#stage.player(name).tab.run(answerSurveys);
    return `open ${name}`;
  }

  /** Kills the worker, closes, opens or, where one of them leads, freezes a tab; gives which. */
  async step(): Promise<string> {
    const { players, host, browser } = this.#stage;
    const awake = [...players.keys()].filter((name) => !this.#frozen.has(name));
    const kind = this.#random.of([
      'kill',
      players.size > most / 2 ? 'close' : 'open',
      players.size < most ? 'open' : 'close',
      ...(host === 'leader-tab' && awake.length > 2 ? ['freeze'] : []),
    ]);
    if (kind === 'open') return this.open();
    if (kind === 'kill') {
      await this.#stage.tellWorker('close');
      return 'kill worker';
    }
    const name = this.#random.of(awake);
    const { tab } = this.#stage.player(name);
    if (kind === 'freeze') {
      if (!(await browser.faults.canFreeze(tab))) return 'nothing';
      this.#frozen.add(name);
      this.#stage.player(name).isAway = true;
      await tab.freeze();
      return `freeze ${name}`;
    }
    if (awake.length === 1) return 'nothing';
    players.delete(name);
    await tab.close();
    return `close ${name}`;
  }

  /** Thaws what is frozen. */
  async thaw(): Promise<void> {
    for (const name of this.#frozen) {
      const player = this.#stage.player(name);
      await player.tab.thaw();
      player.isAway = false;
    }
    this.#frozen.clear();
  }

  /** Waits until every tab that is not frozen is open at the same hub, and a message of the server reaches all of them. */
  async untilAllLive(): Promise<void> {
    const { players, server } = this.#stage;
    const awake = [...players.values()].filter(({ isAway }) => !isAway);
    const survey = () => awake[0]?.tab.run((tabs) => window.survey(tabs), awake.length);
    const isAll = (values: string[] = [], start: string) =>
      values.length === awake.length && new Set(values).size === 1 && values[0]?.startsWith(start) === true;
    for (const deadline = Date.now() + 20_000; ; ) {
      await waitFor('all tabs at one hub', survey, { until: (seen) => isAll(seen?.hubs, 'open'), timeout: 20_000 });
      if (awake.length === players.size) await server.control.wait({ live: 1 });
      await this.#stage.cast(1);
      const last = `cast ${this.#stage.casts - 1}`;
      // A tab that has not noticed yet that its hub is gone shows that hub, and misses this message.
      try {
        return void (await waitFor(last, survey, { until: (seen) => isAll(seen?.heard, last), timeout: 300 }));
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
    }
  }
}

describeEngines(
  'random sequences',
  (use) => {
    const sequences = use.engine === 'chromium' ? 100 : 10;

    for (const [host, what] of [
      ['shared-worker', 'killing the worker, closing and opening tabs'],
      ['leader-tab', 'killing the worker, freezing, closing and opening tabs, of which one leads'],
    ] as const) {
      test(`of ${what}, ${sequences} times, end with every tab live on one connection (${host})`, async () => {
        const random = new Random(Number(process.env.TABWIRE_SEED ?? Date.now() % 1_000_000));
        const crowd = new Crowd(use, host, random);
        for (let opened = 0; opened < most; opened++) await crowd.open();
        const began = Date.now();
        for (let sequence = 0; sequence < sequences; sequence++) {
          const done: string[] = [];
          try {
            for (let left = 2 + random.below(3); left > 0; left--) done.push(await crowd.step());
            if (random.below(2)) await crowd.untilAllLive();
            await crowd.thaw();
            await crowd.untilAllLive();
          } catch (error) {
            throw new Error(`TABWIRE_SEED=${random.seed}, sequence ${sequence}: ${done.join(', ')}: ${error}`, {
              cause: error,
            });
          }
        }
        console.log(`${use.engine}, ${host}: ${sequences} sequences in ${Date.now() - began} ms, seed ${random.seed}`);
      }, 600_000);
    }
  },
  { browser: { faults: true } },
);
