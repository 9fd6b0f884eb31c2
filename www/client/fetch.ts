// biome-ignore-all lint/suspicious/noDoubleEquals: as in the other files of the page side
import { gateOf, judge, pageGates } from './breaker.js';
import { CircuitOpenError } from './errors.js';
import { type Gates, Outcome } from './gate.js';
import { amount, check, positive } from './options.js';
import { isFailure, readRetryAfter } from './response.js';

/** How often a call that has failed is made again. */
export interface RetryOptions {
  /** How often at most, at least 1. */
  attempts: number;
  /** Longest wait before the first time; it grows from there. Default 200 ms. */
  minDelay?: number;
  /** What that grows to, and the longest `Retry-After` that is waited for. Default 30 000 ms. */
  maxDelay?: number;
  /** Factor from one time to the next, at least 1. Default 2. */
  growth?: number;
  /** `'full'`: a wait is drawn between 0 and its longest. `'none'`: it is the longest. Default `'full'`. */
  jitter?: 'full' | 'none';
  /** Methods that may be made again. Default: the idempotent ones of RFC 9110, GET HEAD OPTIONS PUT DELETE. */
  methods?: string[];
}

/** What {@link gatedFetch} takes besides what `fetch` takes. */
export interface GatedRequestInit extends RequestInit {
  /**
   * The name of the breaker. Default: origin and route of the url, the latter at most three segments of its path and those before
   * the first that looks like an id: `https://example.com/api/v1/users` for `https://example.com/api/v1/users/7/orders`.
   */
  breaker?: string;
  /**
   * How often a call that has failed is made again, or how. Within `retryBudget` of the breaker, while that is not open, and not
   * where the body is a stream. Default 0.
   */
  retry?: number | RetryOptions;
  /** How long each attempt may take until its headers are there; at least 1. It rejects with `TimeoutError` then. Default: as long as it takes. */
  timeout?: number;
}

/**
 * `fetch` behind a circuit breaker that all tabs share: the same arguments, the same response or error. A failure is a response
 * 5xx, 408 or 429, no response in time, or none at all while the browser is online; what the caller aborts counts as nothing.
 * While the breaker is open it rejects at once with {@link CircuitOpenError}. A `Retry-After` of the server lengthens that time;
 * of another origin it is seen only if `Access-Control-Expose-Headers` names it.
 */
export const gatedFetch = async (input: RequestInfo | URL, init?: GatedRequestInit): Promise<Response> =>
  fetchBehind(pageGates(), input, init);

/** The same behind the breakers of a client. */
export const fetchBehind = async (
  gates: Gates,
  input: RequestInfo | URL,
  { breaker, retry, timeout, ...init }: GatedRequestInit = {},
): Promise<Response> => {
  const given = check({ retry: typeof retry == 'number' ? { attempts: retry } : retry, timeout }, rules) as Checked;
  const {
    attempts = 0,
    minDelay = 200,
    maxDelay = 30_000,
    growth = 2,
    jitter,
    methods = idempotent,
  } = given.retry ?? {};
  const request = input instanceof Request ? input : undefined;
  const { method = request?.method ?? 'GET', body, signal = request?.signal } = init;
  const url = (request?.url ?? input) as string | URL;
  const name = breaker ?? routeOf(url);
  // What is used up or is no url cannot begin, and `fetch` says why.
  if (name === undefined || (request?.bodyUsed && !body) || (body as ReadableStream | null)?.locked)
    return fetch(input, init);
  const gate = gateOf(gates, name);
  const isIdempotent = methods.some((name) => name.toUpperCase() == method.toUpperCase());
  let left = isIdempotent && !(body instanceof ReadableStream) ? attempts : 0;

  /** One attempt: what came of it, whether it has failed, and when the server wants to hear of it again. */
  const attempt = async (): Promise<[settle: () => Response, hasFailed?: unknown, retryAfter?: number | null]> => {
    const entered = gate[0](signal);
    const pass = Array.isArray(entered) ? entered : await entered;
    const start = performance.now();
    const leave = (outcome: Outcome, retryAfter?: number | null) =>
      gate[1](pass, outcome, performance.now() - start, retryAfter);
    const controller = timeout ? new AbortController() : undefined;
    const timer =
      controller && setTimeout(() => controller.abort(new DOMException(`${timeout} ms`, 'TimeoutError')), timeout);
    try {
      const response = await fetch(left && request ? request.clone() : input, {
        ...init,
        ...(controller && { signal: either(controller, signal) }),
      });
      const hasFailed = isFailure(response.status);
      const retryAfter = hasFailed ? readRetryAfter(response.headers.get('retry-after')) : null;
      leave(hasFailed ? Outcome.Failure : Outcome.Success, retryAfter);
      return [() => response, hasFailed, retryAfter];
    } catch (thrown) {
      // WebKit rejects with AbortError, whatever the reason.
      const error = controller?.signal.aborted && !signal?.aborted ? controller.signal.reason : thrown;
      const outcome = signal?.aborted || isBad(url, { method, ...init }) ? Outcome.Neutral : judge(error);
      leave(outcome);
      return [
        () => {
          throw error;
        },
        outcome == Outcome.Failure,
      ];
    } finally {
      clearTimeout(timer);
    }
  };

  let last = await attempt();
  for (let delay = minDelay; last[1] && left && !signal?.aborted; delay *= growth) {
    const longest = Math.min(delay, maxDelay);
    const wait = Math.max(last[2] ?? 0, jitter == 'none' ? longest : longest * Math.random());
    if (wait > maxDelay || !(await gate[2](signal))) break;
    if (!signal?.aborted) await sleep(wait, signal);
    signal?.throwIfAborted();
    left--;
    const [settle] = last;
    try {
      last = await attempt();
    } catch (error) {
      // The breaker has opened meanwhile: what came before is the answer.
      if (error instanceof CircuitOpenError) break;
      throw error;
    }
    discard(settle);
  }
  return last[0]();
};

type Checked = { retry?: RetryOptions };

const rules = {
  timeout: positive,
  retry: {
    attempts: amount,
    minDelay: amount,
    maxDelay: amount,
    growth: positive,
    jitter: 'full none',
    methods: (value: unknown) => !(value as unknown[])?.every?.((name) => typeof name == 'string') && TypeError,
  },
};

/** RFC 9110 §9.2.2, but for TRACE, which `fetch` refuses. */
const idempotent = /* @__PURE__ */ 'GET HEAD OPTIONS PUT DELETE'.split(' ');

/** The breaker of a url: see {@link GatedRequestInit.breaker}. None, if it is no url. */
const routeOf = (url: string | URL) => {
  try {
    const { origin, pathname } = new URL(url, document.baseURI);
    const segments = pathname.split('/').slice(1, 4);
    const id = segments.findIndex((segment) => /\d/.test(segment) && !/^v\d+$/i.test(segment));
    const name = [origin, ...segments.slice(0, id < 0 ? 3 : id)].filter(Boolean).join('/');
    return name.slice(0, 1024);
  } catch {
    return undefined;
  }
};

/** Aborts when either does. */
const either = (controller: AbortController, signal?: AbortSignal | null) => {
  if (!signal) return controller.signal;
  if (AbortSignal.any) return AbortSignal.any([controller.signal, signal]);
  signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true });
  return controller.signal;
};

/** Whether `fetch` could not even begin. */
const isBad = (url: string | URL, init: RequestInit) => {
  try {
    // A stream that has been sent is used up: another takes its place.
    new Request(url, init.body instanceof ReadableStream ? { ...init, body: new ReadableStream() } : init);
    return false;
  } catch {
    return true;
  }
};

/** Waits, unless the signal ends that. */
const sleep = (ms: number, signal?: AbortSignal | null) =>
  new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });

/** Nobody reads this response. */
const discard = (settle: () => Response) => {
  try {
    settle().body?.cancel();
  } catch {}
};
