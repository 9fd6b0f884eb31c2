import { expect } from 'vitest';
import { waitFor } from '../harness/index.js';
import type { Probe } from '../pages/probe.js';
import type { Part, Player } from './player.js';
import type { Stage } from './stage.js';

/** What became of the messages of a scenario. */
export interface Losses {
  /** Casts that a living tab missed, each at a gap that it was told of. */
  readonly lost: number;
  /** Sends that living tabs counted as failed. */
  readonly failed: number;
}

/**
 * What holds at the end of every scenario: every living tab is open; nothing came twice; what a tab missed lies at a gap; every
 * send arrived once or was counted; nobody saw the echo of another key; the server has one connection a key.
 */
export async function audit(stage: Stage): Promise<Losses> {
  const players = [...stage.players.values()];
  for (const { name, part, tab } of players) {
    await waitFor(
      `tab ${name} to be open at the end`,
      () => tab.run((name) => window.socket(name).status, part.socket),
      {
        until: ({ state }) => state === 'open',
      },
    );
  }
  await waitFor(`${stage.connections} connections`, () => connectionsOf(stage), {
    until: (count) => count === stage.connections,
  });
  await fence(stage, players);

  const losses = { lost: 0, failed: 0 };
  for (const player of players) {
    for (const part of player.parts) {
      const probe = await player.probe(part);
      losses.lost += auditCasts(`tab ${player.name}`, part, probe, part.until ?? stage.casts);
      auditEchoes(`tab ${player.name}`, part, probe);
    }
    losses.failed += await auditSends(stage, player);
  }
  return losses;
}

/** A last message each way: once they have come, so has everything before them. */
async function fence(stage: Stage, players: Player[]): Promise<void> {
  for (const player of players) await player.send(1);
  const last = players.map(({ name, part, sent }) => `${name}@${part.key}:${sent - 1}`);
  await waitFor('the last sends', () => received(stage), {
    until: (texts) => last.every((text) => texts.includes(text)),
  });
  await stage.cast(1);
  for (const player of players) await player.untilHeard(stage.casts);
}

/** Counts the casts that a socket missed; fails for one that came twice, out of order, or is missing without a gap. */
function auditCasts(who: string, part: Part, { texts, gapsAt }: Probe, until: number): number {
  const places = new Map<number, number>();
  for (const [at, text] of texts.entries()) {
    const number = /^cast (\d+)$/.exec(text)?.[1];
    if (number) places.set(Number(number), at);
  }
  const numbers = texts.flatMap((text) => /^cast (\d+)$/.exec(text)?.[1] ?? []).map(Number);
  expect(numbers, `${who}: casts once and in order`).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  let lost = 0;
  for (let number = part.from; number < until; number++) {
    if (places.has(number)) continue;
    lost++;
    const before = Math.max(-1, ...numbers.filter((other) => other < number).map((other) => places.get(other) ?? 0));
    const after = Math.min(
      texts.length,
      ...numbers.filter((other) => other > number).map((other) => places.get(other) ?? 0),
    );
    const isTold = gapsAt.some((at) => before < at && at <= after);
    expect(isTold, `${who}: cast ${number} is missing, and no gap lies there (got ${numbers}, gaps at ${gapsAt})`).toBe(
      true,
    );
  }
  return lost;
}

/** Echoes go to the connection of their sender, which is another for each key. */
function auditEchoes(who: string, { key }: Part, { texts }: Probe): void {
  const echoes = texts.filter((text) => !text.startsWith('cast '));
  expect(
    echoes.filter((text) => !text.includes(`@${key}:`)),
    `${who}: echoes of other keys`,
  ).toEqual([]);
  expect(new Set(echoes).size, `${who}: echoes that came twice`).toBe(echoes.length);
}

/** Counts the sends that failed; fails for one that arrived twice or is missing and was not counted. */
async function auditSends(stage: Stage, player: Player): Promise<number> {
  const arrived = (await received(stage)).filter((text) => text.startsWith(`${player.name}@`));
  expect(arrived, `tab ${player.name}: sends that arrived twice`).toEqual([...new Set(arrived)]);
  let failed = 0;
  for (const part of player.parts) {
    for (const { count } of (await player.probe(part)).failed) failed += count;
  }
  expect(player.sent - arrived.length, `tab ${player.name}: sends neither arrived nor counted`).toBeLessThanOrEqual(
    failed,
  );
  return failed;
}

/** How many connections the server has, without those that it does not hear: it cannot know that their client has left. */
async function connectionsOf(stage: Stage): Promise<number> {
  const { connections } = await stage.server.control.stats();
  return connections.filter(({ hung, half_open }) => !hung && !half_open).length;
}

/** The numbered messages that the server has received. */
async function received(stage: Stage): Promise<string[]> {
  const { frames } = await stage.server.control.received({ limit: 100_000 });
  return frames.flatMap(({ text }) => (text?.includes('@') ? [text] : []));
}
