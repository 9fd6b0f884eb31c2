import { memo } from 'react';
import { useNow } from './clock.js';
import { breakerTones, describeBreaker, describeOutcome, type Outcome } from './gated.js';
import { order } from './order.js';
import { route, type Service } from './service.js';
import { useStore } from './store.js';

/** A REST call behind a breaker that all tabs share, and what lets it fail. */
export const ServiceCard = memo(function ServiceCard({ service }: { service: Service }) {
  const stats = useStore(service.breaker);
  const outcomes = useStore(service.outcomes);
  const { state, reason, successes, failures, rejected, trips } = stats;
  return (
    <section className="card service" aria-labelledby="service-title">
      <h2 id="service-title">REST, one breaker for all tabs</h2>
      <p className="state" data-tone={breakerTones[state]} role="status">
        <span className="lamp" aria-hidden="true" />
        {state.replace('-', ' ')}
        <code>{reason}</code>
      </p>
      <p className="next">
        <Next {...stats} />
      </p>
      <dl className="counts">
        <Count name="succeeded" value={successes} />
        <Count name="failed" value={failures} />
        <Count name="refused" value={rejected} />
        <Count name="opened" value={trips} />
      </dl>
      <div className="calls">
        <button type="button" className="primary" onClick={() => service.call(1)}>
          Call
        </button>
        <button type="button" onClick={() => service.call(10)}>
          Call 10 ×
        </button>
        <Last outcome={outcomes.at(-1)} />
      </div>
      <Strip outcomes={outcomes} />
      <fieldset aria-label="What the route does">
        <button
          type="button"
          onClick={() => order('Let the route fail', 'service', { route, mode: 'fail', status: 503 })}
        >
          Let it fail
        </button>
        <button
          type="button"
          onClick={() => order('Let the route be slow', 'service', { route, mode: 'slow', delay_ms: 3000 })}
        >
          Let it be slow
        </button>
        <button type="button" onClick={() => order('Let the route recover', 'service', { route, mode: 'ok' })}>
          Let it recover
        </button>
        <button type="button" onClick={service.reset}>
          Reset breaker
        </button>
      </fieldset>
    </section>
  );
});

/** The last calls of this tab, one after the other. */
function Strip({ outcomes }: { outcomes: readonly Outcome[] }) {
  return (
    <span className="strip" aria-hidden="true">
      {outcomes.map((outcome, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no names
        <i key={index} data-tone={describeOutcome(outcome)[1]} />
      ))}
    </span>
  );
}

function Next(stats: Parameters<typeof describeBreaker>[0]) {
  return describeBreaker(stats, useNow(100));
}

function Count({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value.toLocaleString('en')}</dd>
    </div>
  );
}

function Last({ outcome }: { outcome: Outcome | undefined }) {
  const [text, tone] = outcome ? describeOutcome(outcome) : [`GET …/${route}`, 'neutral'];
  return (
    <output className="last" data-tone={tone}>
      {text}
    </output>
  );
}
