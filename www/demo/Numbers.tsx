import { memo } from 'react';
import type { Status } from 'tabwire';
import { Diagram } from './Diagram.js';
import type { Member } from './roster.js';
import type { Stats } from './server.js';
import { tones } from './tone.js';

interface Props {
  status: Status;
  /** What the hub counts. */
  tabs: number;
  connections: number;
  /** The tabs, as far as they are known by name. */
  roster: readonly Member[];
  /** What the server counts; `null` when it does not answer, `undefined` when it has not yet. */
  server: Stats | null | undefined;
}

/** The two numbers that matter, and between them the picture of why. */
export const Numbers = memo(function Numbers({ status, tabs, connections, roster, server }: Props) {
  return (
    <section className="card numbers" aria-label="Tabs and connections">
      <Figure value={tabs} name={tabs === 1 ? 'tab' : 'tabs'} note="counted by the hub" />
      <Diagram
        tabs={tabs}
        connections={connections}
        roster={roster}
        tone={tones[status.state]}
        transport={status.transport}
        hub={hubs[status.host]}
        isListening={server?.listening ?? server === undefined}
      />
      <Connections status={status} tabs={tabs} connections={connections} server={server} />
    </section>
  );
});

/** Where the hub is. */
const hubs = { 'shared-worker': 'SharedWorker', 'leader-tab': 'in the leading tab', 'this-tab': 'in this tab' };

/** What the server has to do with all these tabs. */
function Connections({ status: { transport }, tabs, connections, server }: Omit<Props, 'roster'>) {
  if (transport === 'polling') {
    const note = `counted by the hub; ${(server?.polls ?? 0).toLocaleString('en')} polls at the server`;
    return (
      <Figure value={connections} name={some(connections, 'connection', 'by polling')} note={note} tone="accent" />
    );
  }
  const isStream = transport === 'sse';
  const count = (isStream ? server?.streams : server?.live) ?? 0;
  return (
    <Figure
      value={count}
      name={isStream ? some(count, 'event stream') : some(count, 'WebSocket connection')}
      note={noteOn(count, tabs * connections, server)}
      tone={count || server === undefined ? 'accent' : 'off'}
    />
  );
}

const some = (count: number, what: string, how = '') => `${what}${count === 1 ? '' : 's'} ${how}`.trim();

function Figure({ value, name, note, tone }: { value: number; name: string; note: string; tone?: 'accent' | 'off' }) {
  return (
    <p className="figure" data-tone={tone}>
      <span className="value" key={value}>
        {value}
      </span>
      <span className="name">{name}</span>
      <span className="note">{note}</span>
    </p>
  );
}

const noteOn = (live: number, unshared: number, server: Props['server']) => {
  if (server === undefined) return 'counted by the server';
  if (!server) return 'the server does not answer';
  if (!server.listening) return 'the server is down';
  if (server.hung) return `counted by the server; ${server.hung} hung`;
  return unshared > live && live > 0 ? `counted by the server, instead of ${unshared}` : 'counted by the server';
};
