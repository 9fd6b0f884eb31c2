import { useEffect } from 'react';
import { EventLog } from './EventLog.js';
import { Faults } from './Faults.js';
import { Header } from './Header.js';
import { HealthCard } from './HealthCard.js';
import type { Market } from './market.js';
import { Numbers } from './Numbers.js';
import { PipelineCard } from './PipelineCard.js';
import { PricesCard } from './PricesCard.js';
import { ServiceCard } from './ServiceCard.js';
import { StatusCard } from './StatusCard.js';
import { Stream } from './Stream.js';
import type { Stats } from './server.js';
import { wantsPipeline } from './setting.js';
import { type Store, useStore } from './store.js';
import type { Wire } from './wire.js';

interface Props {
  wire: Wire;
  market: Market;
  stats: Store<Stats | null | undefined>;
}

/** The page. */
export function App({ wire, market, stats }: Props) {
  const status = useStore(wire.status);
  const report = useStore(wire.report);
  const server = useStore(stats);
  const roster = useStore(market.roster);
  const hasPipeline = useStore(wantsPipeline);
  const { tabs, connections } = report;
  useEffect(() => (hasPipeline ? wire.pipeline.open() : undefined), [hasPipeline, wire]);

  return (
    <div className="page">
      <Header />
      <main>
        <Numbers status={status} tabs={tabs} connections={connections} roster={roster} server={server} />
        <Faults tabs={tabs} symbols={market.symbols} server={server} />
        <PricesCard market={market} status={wire.status} />
        <StatusCard status={status} />
        <EventLog />
        <ServiceCard service={wire.service} />
        <PipelineCard pipeline={wire.pipeline} isWanted={hasPipeline} />
        <HealthCard report={report} />
        <Stream wire={wire} />
      </main>
    </div>
  );
}
