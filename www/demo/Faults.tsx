import { useState } from 'react';
import { killWorker } from './death.js';
import { journal } from './journal.js';
import { openTabs } from './open-tabs.js';
import { order } from './order.js';
import type { Stats } from './server.js';

interface Props {
  /** How many tabs there are. */
  tabs: number;
  symbols: readonly string[];
  server: Stats | null | undefined;
}

/** Opens tabs, and does to worker, network and server what happens to them. */
export function Faults({ tabs, symbols, server }: Props) {
  const fault = server?.fault?.kind;
  const events = server?.routes['/events'];
  const [blocked, setBlocked] = useState(0);
  const open = (count: number) => setBlocked(openTabs(count, tabs, symbols));
  return (
    <section className="actions" aria-label="Try it">
      <Group name="Tabs">
        <button type="button" className="primary" onClick={() => open(5)}>
          Open 5 tabs
        </button>
        <button type="button" onClick={() => open(1)}>
          Open 1 tab
        </button>
      </Group>
      {blocked > 0 && (
        <p className="hint" role="alert">
          Your browser blocked {blocked} of the tabs. Allow pop-ups for this page, or{' '}
          <a href={location.href} target="_blank" rel="noreferrer">
            open one by hand
          </a>
          .
        </p>
      )}
      <Group name="Break it">
        <button type="button" onClick={kill}>
          Kill the worker
        </button>
        <button type="button" onClick={() => order('Drop the connection', 'reset')}>
          Drop connection
        </button>
        <button type="button" onClick={() => order('Restart the server, down for 5 s', 'restart', { down_ms: 5000 })}>
          Restart server
        </button>
        <Fault name="Hang server" kind="hang" present={fault} />
        <Fault name="Slow network" kind="delay" present={fault} body={{ delay_ms: 600 }} />
      </Group>
      <Group name="Proxy">
        <Fault name="Refuse upgrades" kind="refuse" present={fault} isForNew />
        <Fault name="Hang upgrades" kind="hang-upgrade" present={fault} isForNew />
        <button
          type="button"
          aria-pressed={!!events}
          onClick={() =>
            events ? order('Let events through', 'route', { path: '/events', mode: 'ok' }) : blockEvents()
          }
        >
          Block events
        </button>
      </Group>
      <Group name="Load">
        <button
          type="button"
          onClick={() => order('Flood: 1,000 messages/s for 10 s', 'flood', { count: 10_000, rate: 1000, size: 200 })}
        >
          1,000/s
        </button>
        <button
          type="button"
          onClick={() => order('Flood: 50,000 messages at full speed', 'flood', { count: 50_000, rate: 0, size: 200 })}
        >
          Full speed
        </button>
      </Group>
    </section>
  );
}

function Group({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <fieldset>
      <legend>{name}</legend>
      {children}
    </fieldset>
  );
}

interface FaultProps {
  name: string;
  kind: string;
  /** The fault that is in force. */
  present: string | undefined;
  body?: object;
  /** Whether it befalls new connections only; then those that are open are dropped. */
  isForNew?: boolean;
}

/** A fault that lasts until it is ended. */
function Fault({ name, kind, present, body, isForNew }: FaultProps) {
  const isOn = present === kind;
  const toggle = async () => {
    if (isOn) return order(`End it: ${name}`, 'fault', { kind: 'none' });
    await order(name, 'fault', { kind, ...(isForNew && { scope: 'new' }), ...body });
    if (isForNew) await order('Drop the connection', 'reset');
  };
  return (
    <button type="button" aria-pressed={isOn} onClick={toggle}>
      {name}
    </button>
  );
}

const kill = () => {
  journal.add('order', 'neutral', 'Kill the worker, and the hub with it');
  killWorker();
};

/** Keeps events from being streamed, and ends the streams. */
const blockEvents = async () => {
  await order('Block events', 'route', { path: '/events', mode: '503' });
  await order('End their streams', 'route', { path: '/events', mode: 'cut' });
};
