import { useState } from 'react';
import { openTabs } from './open-tabs.js';
import { order } from './order.js';

/** Opens tabs, and does to the server what happens to servers. */
export function Faults({ fault, hasEvents }: { fault: string | undefined; hasEvents: boolean }) {
  const isHung = fault === 'hang';
  const [blocked, setBlocked] = useState(0);
  return (
    <section className="actions" aria-label="Try it">
      <fieldset aria-label="Tabs">
        <span>Tabs</span>
        <button type="button" onClick={() => setBlocked(openTabs(1))}>
          Open 1 tab
        </button>
        <button type="button" className="primary" onClick={() => setBlocked(openTabs(5))}>
          Open 5 tabs
        </button>
      </fieldset>
      {blocked > 0 && (
        <p className="hint" role="alert">
          Your browser blocked {blocked} of the tabs. Allow pop-ups for this page, or{' '}
          <a href={location.href} target="_blank" rel="noreferrer">
            open one by hand
          </a>
          .
        </p>
      )}
      <fieldset aria-label="Faults">
        <span>Faults</span>
        <button type="button" onClick={() => order('Drop the connection', 'reset')}>
          Drop connection
        </button>
        <button
          type="button"
          aria-pressed={isHung}
          onClick={() =>
            isHung
              ? order('Let the server go on', 'fault', { kind: 'none' })
              : order('Hang the server', 'fault', { kind: 'hang' })
          }
        >
          {isHung ? 'Let server go on' : 'Hang server'}
        </button>
        <button type="button" onClick={() => order('Restart the server, down for 5 s', 'restart', { down_ms: 5000 })}>
          Restart server
        </button>
      </fieldset>
      <fieldset aria-label="Proxy">
        <span>Proxy</span>
        <button
          type="button"
          aria-pressed={fault === 'refuse'}
          onClick={() => (fault === 'refuse' ? unblock() : block('Refuse upgrades', 'refuse'))}
        >
          Refuse upgrades
        </button>
        <button
          type="button"
          aria-pressed={fault === 'hang-upgrade'}
          onClick={() => (fault === 'hang-upgrade' ? unblock() : block('Hang upgrades', 'hang-upgrade'))}
        >
          Hang upgrades
        </button>
        <button
          type="button"
          aria-pressed={!hasEvents}
          onClick={() =>
            hasEvents ? blockEvents() : order('Let events through', 'route', { path: '/events', mode: 'ok' })
          }
        >
          Block events
        </button>
      </fieldset>
      <fieldset aria-label="Load">
        <span>Load</span>
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
      </fieldset>
    </section>
  );
}

/** Keeps WebSockets from opening, and ends those that are open. */
const block = async (what: string, kind: 'refuse' | 'hang-upgrade') => {
  await order(what, 'fault', { kind, scope: 'new' });
  await order('Drop the connection', 'reset');
};

/** Keeps events from being streamed, and ends the streams. */
const blockEvents = async () => {
  await order('Block events', 'route', { path: '/events', mode: '503' });
  await order('End their streams', 'route', { path: '/events', mode: 'cut' });
};

const unblock = () => order('Let upgrades through', 'fault', { kind: 'none' });
