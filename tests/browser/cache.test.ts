import { expect, test } from 'vitest';
import { describeEngines, type Use } from './harness/index.js';
import { audit } from './scenarios/audit.js';
import { Stage } from './scenarios/stage.js';

type Liveness = 'auto' | 'locks' | 'heartbeat';

/** Tabs with open sockets, of which the first that is named goes into the cache with something sent and comes back later. */
async function cacheAndRestore(use: Use, liveness: Liveness, others: string[]) {
  const stage = new Stage(use.browser, use.server, 'shared-worker', { liveness });
  for (const name of [...others, 'cached']) await stage.open(name, 'this');
  await stage.cast(5);
  const { tab } = stage.player('cached');
  await stage.player('cached').send(5);
  // What the worker posts before it has heard that the page is going away evicts the page from the cache.
  await tab.waitFor('the echoes', () => window.probe().got, { until: (got) => got === 10 });
  await tab.navigate(use.server.page('/bare.html'));
  await stage.cast(20);
  for (const other of others) await stage.player(other).send(2);
  await tab.back();
  await tab.waitFor('the page to be out of the back-forward cache', () => window.restored.at(-1));
  return stage;
}

describeEngines(
  'a page with an open socket',
  (use) => {
    for (const liveness of ['auto', 'locks', 'heartbeat'] as const) {
      const isCached = use.engine !== 'firefox' || liveness !== 'locks';

      test.runIf(isCached)(
        `goes into the back-forward cache (liveness ${liveness}), and is resynced when it comes back`,
        async () => {
          const stage = await cacheAndRestore(use, liveness, ['other']);
          await stage.player('cached').send(3);
          await stage.cast(5);
          const { lost, failed } = await audit(stage);
          console.log(`${use.engine}, ${liveness}: ${lost} of 20 casts lost at a gap, ${failed} sends counted`);
          expect((await use.server.control.stats()).total).toBe(1);
        },
      );
    }

    test('the only one of the browser, comes back to an open connection, and what is lost is told', async () => {
      const stage = await cacheAndRestore(use, 'auto', []);
      await stage.player('cached').send(3);
      await stage.cast(5);
      const { lost, failed } = await audit(stage);
      console.log(`${use.engine}, alone: ${lost} of 20 casts lost at a gap, ${failed} sends counted`);
    });
  },
  { browser: { faults: true } },
);

describeEngines(
  'a page with a lock in Firefox',
  (use) => {
    test('is not cached: that is what liveness by locks costs', async () => {
      const stage = new Stage(use.browser, use.server, 'shared-worker', { liveness: 'locks' });
      await stage.open('a', 'this');
      const { tab } = stage.player('a');
      await tab.navigate(use.server.page('/bare.html'));
      await tab.back();
      expect(await tab.run(() => window.restored)).not.toContain(true);
    });
  },
  { only: ['firefox'] },
);
