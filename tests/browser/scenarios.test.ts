import { beforeAll, test } from 'vitest';
import { describeEngines, type EngineName, type Server, startServer } from './harness/index.js';
import { audit } from './scenarios/audit.js';
import { makeNewerBuild } from './scenarios/newer.js';
import { readScenarios, runsIn, type Scenario } from './scenarios/parse.js';
import { seenBy, writeRow } from './scenarios/row.js';
import { Stage } from './scenarios/stage.js';
import { play } from './scenarios/verbs.js';

/** Audits what came of a scenario with one host, and keeps it for the table. */
async function keepRow(engine: EngineName, { name, title }: Scenario, stage: Stage): Promise<void> {
  const losses = await audit(stage);
  const { host, recoverMs } = stage;
  const sees = await seenBy(stage);
  writeRow({ scenario: name, title, engine, host, sees, recoverMs, duplicated: 0, reported: true, ...losses });
}

describeEngines(
  'a scenario',
  (use) => {
    beforeAll(makeNewerBuild);

    for (const scenario of readScenarios()) {
      test.runIf(runsIn(scenario, use.engine))(`${scenario.name}: ${scenario.title}`, async () => {
        const further: Server[] = [];
        try {
          for (const _ of scenario.hosts.slice(1)) further.push(await startServer());
          const servers = [use.server, ...further];
          const stages = scenario.hosts.map(
            (host, index) => new Stage(use.browser, servers[index] ?? use.server, host),
          );
          for (const step of scenario.steps) await play(step, ...stages);
          await Promise.all(stages.map((stage) => keepRow(use.engine, scenario, stage)));
        } finally {
          for (const server of further) await server.close();
        }
      });
    }
  },
  { browser: { faults: true } },
);
