/** What a tab does in the benchmarks of breakers: it decides, or calls a server, in each of the ways that are compared. */

import { breakers } from './breakers.js';
import { callers } from './callers.js';

/**
 * Makes calls that are settled at once behind a breaker, and returns how many there were, how many of them were refused, and how many ms
 * that took without the waits.
 * @param {import('./breakers.js').Breakers} way @param {Course} course
 */
export async function decide(way, course) {
  const steps = courses[course];
  const breaker = await breakers[way](course === 'open');
  let calls = 0;
  let refused = 0;
  let ms = 0;
  let began = performance.now();
  for (const step of steps) {
    if (step === 'wait') {
      ms += performance.now() - began;
      await pause(60);
      began = performance.now();
      continue;
    }
    try {
      await breaker.call(step === 'good' ? good : bad);
    } catch (error) {
      if (error !== failure) refused += 1;
    }
    calls += 1;
    // As between the calls of a page: messages and timers have their turn.
    if (calls % 1000 === 0) await turn();
  }
  ms += performance.now() - began;
  breaker.end();
  return { calls, refused, ms };
}

/** @typedef {'closed' | 'bursts' | 'open'} Course @typedef {'good' | 'bad' | 'wait'} Step */

/** The same as in `benches/breaker.rs`: 20 times a hundred successes and more, then a burst of failures, then time to recover. */
function sequence() {
  let seed = 2463534242;
  /** @param {number} below */
  const draw = (below) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % below;
  };
  /** @type {Step[]} */
  const steps = [];
  for (let burst = 0; burst < 20; burst += 1) {
    for (let left = 100 + draw(201); left > 0; left -= 1) steps.push('good');
    for (let left = 6 + draw(20); left > 0; left -= 1) steps.push('bad');
    steps.push('wait');
  }
  return steps;
}

/** @type {Record<Course, Step[]>} */
const courses = {
  closed: Array(100_000).fill('good'),
  bursts: sequence(),
  open: Array(20_000).fill('good'),
};

const failure = new Error('as ordered');
const good = async () => 1;
const bad = async () => {
  throw failure;
};

/**
 * Calls the server by `fetch` and `gatedFetch` in turn, `atOnce` at a time, and returns how many ms each call of either took.
 * @param {string} url @param {number} count of each, a multiple of 60 @param {number} atOnce
 */
export async function fetches(url, count, atOnce) {
  const ways = /** @type {const} */ (['plain', 'gated']);
  /** @type {Record<typeof ways[number], number[]>} */
  const took = { plain: [], gated: [] };
  const calls = { plain: callers.plain(url, 'bench'), gated: callers.gated(url, 'bench') };
  for (let left = count; left > 0; left -= 60) {
    for (const way of left % 120 ? ways : [...ways].reverse()) {
      let todo = 60;
      const work = async () => {
        while (todo-- > 0) {
          const began = performance.now();
          await (await calls[way]()).text();
          took[way].push(performance.now() - began);
        }
      };
      await Promise.all(Array.from({ length: atOnce }, work));
    }
  }
  return took;
}

/**
 * Starts to call the server once every so many ms, however long each call takes. {@link outcomes} tells what has become of them.
 * @param {import('./callers.js').Callers} way @param {string} url @param {{ breaker: string, count: number, every: number }} plan
 */
export function callSteadily(way, url, { breaker, count, every }) {
  const call = callers[way](url, breaker);
  ended = [];
  const start = performance.now();
  const next = () => {
    const began = performance.now();
    const mine = ended;
    /** @param {'ok' | 'failed' | 'refused'} what */
    const end = (what) => mine.push({ what, ms: performance.now() - began });
    call().then(
      (response) => response.text().then(() => end(response.ok ? 'ok' : 'failed')),
      ({ code }) => end(code === 'circuit-open' ? 'refused' : 'failed'),
    );
    begun += 1;
    if (begun < count) setTimeout(next, start + begun * every - performance.now());
  };
  let begun = 0;
  next();
}

/** What has become of the calls that have ended. */
export const outcomes = () => ended;

/** @type {{ what: 'ok' | 'failed' | 'refused', ms: number }[]} */
let ended = [];

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const turn = () =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(0);
  });
