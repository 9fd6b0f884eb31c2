/** What a tab of the benchmark does: it joins by one of three ways, and records what its listener is called with. */

import { batches, countBatches } from './batches.js';
import { ways } from './ways.js';

/** @type {import('./ways.js').Joined | undefined} */
let joined;

/** Takes one message; what it is depends on what is recorded. @type {(text: string) => void} */
let take = () => {};

/**
 * Connects this tab, and resolves to the time from the constructor to the open event, in ms.
 * @param {import('./ways.js').Way} way @param {string} url
 * @returns {Promise<number>}
 */
export function join(way, url) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    joined = ways[way](url, {
      opened: () => resolve(performance.now() - began),
      lost(why) {
        tally.losses.push(why);
        reject(new Error(`${way}: ${why}`));
      },
      message: (text) => take(text),
    });
  });
}

/** Leaves again. */
export function leave() {
  joined?.leave();
  joined = undefined;
}

/** Starts to record messages that begin with their number. @param {number} count how many are to come, from number 0 on */
export function expectNumbered(count) {
  record(count, (text) => Number.parseInt(text, 10));
}

/** Starts to record messages that carry, within JSON, their number and when they were sent. @param {number} count how many are to come, from number 0 on */
export function expectStamped(count) {
  const latencies = record(count, (text) => {
    const [number, sent] = text.slice(text.indexOf(payload) + payload.length).split(' ', 2);
    latencies.push(now() - Number(sent));
    return Number(number);
  });
}

/**
 * Resolves to what was recorded once all has come, or to what there is after `patience` ms.
 * @param {number} patience
 */
export async function recorded(patience) {
  let timer;
  await Promise.race([complete, new Promise((resolve) => (timer = setTimeout(resolve, patience)))]);
  clearTimeout(timer);
  return { ...tally, ...batches() };
}

/** What came so far: anything but `count` messages without `disorder` is a failure, of which `losses` may tell more. */
let tally = emptyTally();

/** Kept when everything expected has come. @type {Promise<unknown>} */
let complete = Promise.resolve();

/** @param {number} expected @param {(text: string) => number} numberOf */
function record(expected, numberOf) {
  const mine = emptyTally();
  tally = mine;
  countBatches();
  complete = new Promise((resolve) => {
    take = (text) => {
      if (numberOf(text) !== mine.count) mine.disorder += 1;
      mine.count += 1;
      if (mine.count === 1) mine.first = now();
      if (mine.count < expected) return;
      mine.last = now();
      resolve(undefined);
    };
  });
  return mine.latencies;
}

function emptyTally() {
  return {
    count: 0,
    disorder: 0,
    first: 0,
    last: 0,
    latencies: /** @type {number[]} */ ([]),
    losses: /** @type {string[]} */ ([]),
  };
}

/** Milliseconds since 1970 on the clock that all tabs share. */
const now = () => performance.timeOrigin + performance.now();

const payload = '"data":"';
