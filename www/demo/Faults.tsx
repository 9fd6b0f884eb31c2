import { useState } from 'react';
import { journal } from './journal.js';
import { openTabs } from './open-tabs.js';
import { control } from './server.js';

/** Opens tabs, and does to the server what happens to servers. */
export function Faults({ isHung }: { isHung: boolean }) {
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

const order = async (what: string, ...args: Parameters<typeof control>) => {
  journal.add('order', 'neutral', what);
  try {
    await control(...args);
  } catch (error) {
    journal.add('order', 'bad', String(error));
  }
};
