/** The ways to call a server that are compared. */

/** @typedef {'plain' | 'plainRetry' | 'plainWait' | 'gated' | 'gatedRetry' | 'suited' | 'suitedRetry' | 'suitedWait'} Callers */

/** Makes what calls a url, behind a breaker of that name where there is one. @type {Record<Callers, (url: string, breaker: string) => () => Promise<Response>>} */
export const callers = {
  plain: (url) => () => fetch(url, request),
  plainRetry: (url) => retried(url),
  plainWait: (url) => again(retried(url)),
  gated: gatedBy({}, {}),
  gatedRetry: gatedBy({}, { retry: thrice() }),
  suited: gatedBy(suited(), {}),
  suitedRetry: gatedBy(suited(), { retry: thrice() }),
  suitedWait: (url, breaker) => again(gatedBy(suited(), { retry: thrice() })(url, breaker)),
};

/** The same retries by hand. @param {string} url */
function retried(url) {
  return async () => {
    for (let wait = 100; ; wait *= 2) {
      const response = await fetch(url, request);
      if (response.ok || wait > 400) return response;
      await pause(wait);
    }
  };
}

/** Calls again for 5 s what has failed or was refused. @param {() => Promise<Response>} call */
function again(call) {
  return async () => {
    for (const start = performance.now(); ; ) {
      /** @type {number | null} */
      let wait = 500;
      try {
        const response = await call();
        if (response.ok || isOver(start)) return response;
      } catch (error) {
        wait = /** @type {import('../../../www/client/index.js').CircuitOpenError} */ (error).retryAfter;
        if (!wait || isOver(start)) throw error;
      }
      // While a probe is under way `retryAfter` is how long that may take at most.
      await pause(Math.min(wait, 500));
    }
  };
}

/**
 * @param {import('../../../www/client/index.js').CircuitBreakerOptions} options @param {import('../../../www/client/index.js').GatedRequestInit} init
 * @returns {(url: string, breaker: string) => () => Promise<Response>}
 */
function gatedBy(options, init) {
  return (url, breaker) => {
    new CircuitBreaker(breaker, options);
    return () => gatedFetch(url, { ...request, ...init, breaker });
  };
}

/** 100, 200 and 400 ms. @returns {import('../../../www/client/index.js').RetryOptions} */
function thrice() {
  return { attempts: 3, minDelay: 100, growth: 2, jitter: 'none' };
}

/** For a service whose failures are short: it opens after more in a row than `retry` can ride out, and looks again soon. @returns {import('../../../www/client/index.js').CircuitBreakerOptions} */
function suited() {
  return {
    failureThreshold: 40,
    minimumCalls: Number.POSITIVE_INFINITY,
    resetTimeout: 250,
    maxResetTimeout: 500,
    retryBudget: { ratio: 1, burst: 100 },
  };
}

/** Whether somebody who is refused has come again for long enough. @param {number} start */
const isOver = (start) => performance.now() > start + 5000;

/** @type {RequestInit} */
const request = { cache: 'no-store' };

/** @param {number} ms */
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The built package, as a page imports it. @type {typeof import('../../../www/client/index.js')} */
const { CircuitBreaker, gatedFetch } = await import(`${location.origin}/dist/index.js`);
