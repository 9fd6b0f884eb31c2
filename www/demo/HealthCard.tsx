import { memo } from 'react';
import type { HubReport } from './report.js';

/** What the hub counts of the connection, over all tabs. */
export const HealthCard = memo(function HealthCard({ report }: { report: HubReport }) {
  const [first] = report.attached;
  const { counters } = first ?? {};
  return (
    <section className="card health" aria-labelledby="health-title">
      <h2 id="health-title">Health, counted by the hub</h2>
      <dl>
        <Item name="round trip" value={first?.rtt ?? undefined} unit="ms" />
        <Item name="received" value={counters?.received} />
        <Item name="sent" value={counters?.sent} />
        <Item name="waiting to be sent" value={first?.queued} />
        <Item name="waiting for slow tabs" value={first?.backlog} />
        <Item name="tabs asleep" value={report.suspended} />
        <Item name="connections lost" value={counters?.lost} isBad />
        <Item name="sends failed" value={counters?.failed} isBad />
        <Item name="missed by slow tabs" value={counters?.dropped} isBad />
      </dl>
    </section>
  );
});

interface ItemProps {
  name: string;
  value: number | undefined;
  unit?: string;
  /** Whether anything but nothing is bad. */
  isBad?: boolean;
}

function Item({ name, value, unit, isBad }: ItemProps) {
  const text = value?.toLocaleString('en', { maximumFractionDigits: value < 10 && unit ? 1 : 0 }) ?? '–';
  return (
    <div data-tone={isBad && value ? 'warn' : undefined}>
      <dt>{name}</dt>
      <dd>
        {text}
        {unit && value !== undefined && <small> {unit}</small>}
      </dd>
    </div>
  );
}
