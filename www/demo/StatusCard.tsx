import { memo } from 'react';
import type { Status } from 'tabwire';
import { spanOf, timeOf, useNow } from './clock.js';
import { isLost } from './journal.js';
import { describeTransport, toneOf } from './transport.js';

/** How the connection is, and why. */
export const StatusCard = memo(function StatusCard({ status }: { status: Status }) {
  const { state, host, attempt, nextAttemptAt, reason, epoch, since, code } = status;
  return (
    <section className="card status" aria-labelledby="status-title">
      <h2 id="status-title">Connection</h2>
      <p className="state" data-tone={toneOf(status)} role="status">
        <span className="lamp" aria-hidden="true" />
        {state}
        <span className="transport">{describeTransport(status)}</span>
      </p>
      <dl>
        <Row name="Host">{host}</Row>
        <Row name="Attempt">
          {attempt}
          {nextAttemptAt !== null && <Countdown key={nextAttemptAt} at={nextAttemptAt} />}
        </Row>
        <Row name="Reason">
          <code>{reason}</code>
          {code !== null && isLost(state) && <small> code {code}</small>}
        </Row>
        <Row name="Since">
          <time dateTime={new Date(since).toISOString()}>{timeOf(since)}</time>
          <Age since={since} />
        </Row>
        <Row name="Epoch">
          <code>{epoch?.slice(0, 8) ?? 'no hub yet'}</code>
        </Row>
      </dl>
    </section>
  );
});

function Row({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Countdown({ at }: { at: number }) {
  return <small> next in {(Math.max(0, at - useNow(100)) / 1000).toFixed(1)} s</small>;
}

function Age({ since }: { since: number }) {
  return <small> for {spanOf(useNow(1000) - since)}</small>;
}
