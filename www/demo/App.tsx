import { useEffect } from 'react';
import { EventLog } from './EventLog.js';
import { Faults } from './Faults.js';
import { Header } from './Header.js';
import { Numbers } from './Numbers.js';
import { ServiceCard } from './ServiceCard.js';
import { StatusCard } from './StatusCard.js';
import { Stream } from './Stream.js';
import type { Stats } from './server.js';
import { wantsPipeline } from './setting.js';
import { type Store, useStore } from './store.js';
import type { Wire } from './wire.js';

/** The page. */
export function App({ wire, stats }: { wire: Wire; stats: Store<Stats | null | undefined> }) {
  const status = useStore(wire.status);
  const census = useStore(wire.census);
  const server = useStore(stats);
  const hasPipeline = useStore(wantsPipeline);
  useEffect(() => (hasPipeline ? wire.openPipeline() : undefined), [hasPipeline, wire]);

  return (
    <div className="page">
      <Header />
      <main>
        <Numbers status={status} census={census} server={server} />
        <Faults fault={server?.fault?.kind} hasEvents={!server?.routes['/events']} />
        <div className="side">
          <StatusCard status={status} />
          <ServiceCard service={wire.service} />
        </div>
        <Stream wire={wire} hasPipeline={hasPipeline} />
        <EventLog />
      </main>
    </div>
  );
}
