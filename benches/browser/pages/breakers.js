/** The breakers that are compared, each open after five failures, for 50 ms. */

/**
 * @typedef {'none' | 'tabwire' | 'consecutive' | 'sampling' | 'opossum'} Breakers
 * @typedef {{ call: (fn: () => Promise<unknown>) => Promise<unknown>, end: () => void }} Breaker
 */

/** Makes a breaker, held open or not. @type {Record<Breakers, (isHeld: boolean) => Breaker | Promise<Breaker>>} */
export const breakers = {
  none: () => ({ call: (fn) => fn(), end() {} }),
  async tabwire(isHeld) {
    made += 1;
    const breaker = new CircuitBreaker(`decisions ${made}`, { resetTimeout: 50, jitter: 0 });
    if (isHeld) breaker.isolate();
    else breaker.reset();
    // Until the hub has said so.
    await new Promise((resolve) => {
      const look = () => (breaker.stats.reason === (isHeld ? 'forced' : 'reset') ? resolve(0) : setTimeout(look, 5));
      look();
    });
    return { call: (fn) => breaker.execute(fn), end: () => breaker.reset() };
  },
  consecutive: (isHeld) => cockatielWith(new cockatiel.ConsecutiveBreaker(5), isHeld),
  sampling: (isHeld) => cockatielWith(new cockatiel.SamplingBreaker(share), isHeld),
  opossum(isHeld) {
    const breaker = new Opossum((/** @type {() => Promise<unknown>} */ fn) => fn(), {
      // Without what the others do not do: a timer for each call, and percentiles.
      timeout: false,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      errorThresholdPercentage: share.threshold * 100,
      rollingCountTimeout: share.duration,
      resetTimeout: isHeld ? 1e6 : 50,
    });
    if (isHeld) breaker.open();
    return { call: (fn) => breaker.fire(fn), end: () => breaker.shutdown() };
  },
};

/** What five failures are of the fewest calls between two bursts. Of the calls of 10 s, as opossum has it; a share cannot be counted in a row. */
const share = { threshold: 0.02, duration: 10_000, minimumRps: 0.1 };

/** @param {import('cockatiel').IBreaker} breaker @param {boolean} isHeld @returns {Breaker} */
function cockatielWith(breaker, isHeld) {
  const policy = cockatiel.circuitBreaker(cockatiel.handleAll, { breaker, halfOpenAfter: 50 });
  if (isHeld) policy.isolate();
  return { call: (fn) => policy.execute(fn), end() {} };
}

let made = 0;

/** The built package, as a page imports it. @type {typeof import('../../../www/client/index.js')} */
const { CircuitBreaker } = await import(`${location.origin}/dist/index.js`);

/** The others, bundled. @type {{ cockatiel: typeof import('cockatiel'), Opossum: typeof import('opossum') }} */
const { cockatiel, Opossum } = await import(`${location.origin}/peers.js`);
