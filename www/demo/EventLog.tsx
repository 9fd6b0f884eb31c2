import { memo } from 'react';
import { timeOf } from './clock.js';
import { type Entry, journal } from './journal.js';
import { useStore } from './store.js';

/** What happened to the connection, as this tab was told. */
export function EventLog() {
  const entries = useStore(journal.entries);
  return (
    <section className="card log" aria-labelledby="log-title">
      <h2 id="log-title">Events</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it */}
      <ol tabIndex={0} aria-labelledby="log-title">
        {entries.map((entry) => (
          <Row key={entry.id} entry={entry} />
        ))}
      </ol>
    </section>
  );
}

const Row = memo(function Row({ entry: { at, kind, tone, text, reason } }: { entry: Entry }) {
  return (
    <li data-tone={tone}>
      <time>{timeOf(at, 3)}</time>
      <span className="kind">{kind}</span>
      <span className="what">
        {text} {reason && <code>{reason}</code>}
      </span>
    </li>
  );
});
