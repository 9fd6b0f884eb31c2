import { afterEach, beforeEach, vi } from 'vitest';
import { createClient } from '../../../www/client/client.js';
import { createGates, type Gate, type Pass } from '../../../www/client/gate.js';
import type { HubOptions } from '../../../www/client/options.js';
import type { BreakerItems, BreakerState } from '../../../www/client/protocol.js';
import { Op } from '../../../www/client/protocol.js';
import { type FakePort, installFakes, settle, workers } from './fakes.js';

/** Each test of a file begins with fakes, and nothing kept of another. */
export const fakesForEach = () => {
  beforeEach(async () => {
    localStorage.clear();
    await installFakes();
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
};

/** The items of `breaker`: a state, and what differs from a breaker as new. */
export const items = (
  state: BreakerState,
  given: {
    reason?: string;
    generation?: number;
    remaining?: number | null;
    openFor?: number;
    age?: number | null;
    slowAfter?: number | null;
    counters?: number[];
  } = {},
): BreakerItems => [
  state,
  given.reason ?? 'new',
  given.generation ?? 0,
  given.remaining ?? null,
  given.openFor ?? given.remaining ?? 0,
  0,
  given.age ?? null,
  given.slowAfter ?? null,
  given.counters ?? Array(10).fill(0),
];

/** Says how a breaker is. */
export const say = (
  port: FakePort,
  state: BreakerState,
  given?: Parameters<typeof items>[1],
  name = 'api',
  ignored: string[] = [],
) => port.say(Op.Breaker, name, ...items(state, given), ignored);

/** Opens the mirror of a breaker at a hub that is up, and has it say how the breaker is. */
export const openGate = async (
  state: BreakerState = 'closed',
  given?: Parameters<typeof items>[1],
  host: HubOptions['host'] = {},
) => {
  const client = createClient({ host });
  const gates = createGates(client);
  const gate = gates('api');
  await settle();
  const port = workers.latest;
  port.welcome();
  say(port, state, given);
  await settle();
  port.take();
  return { client, gates, gate, port };
};

/** What came of asking whether a call may pass: a pass, what refused it, or that this is not known yet. */
export const enter = (gate: Gate, signal?: AbortSignal) => {
  const entered: { at?: 'once' | 'length'; pass?: Pass; error?: unknown } = {};
  try {
    const answer = gate[0](signal);
    if (Array.isArray(answer)) Object.assign(entered, { at: 'once', pass: answer });
    else {
      answer.then(
        (pass) => Object.assign(entered, { at: 'length', pass }),
        (error) => Object.assign(entered, { at: 'length', error }),
      );
    }
  } catch (error) {
    Object.assign(entered, { at: 'once', error });
  }
  return entered;
};
