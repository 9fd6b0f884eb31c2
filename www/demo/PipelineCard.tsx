import { memo } from 'react';
import type { Pipeline, PipelineReport } from './pipeline.js';
import { Sparkline } from './Sparkline.js';
import { wantsPipeline } from './setting.js';
import { useStore } from './store.js';
import { describeTransport, toneOf } from './transport.js';

/** What a second url reports every 5 s, for as long as somebody wants it. */
export const PipelineCard = memo(function PipelineCard({
  pipeline,
  isWanted,
}: {
  pipeline: Pipeline;
  isWanted: boolean;
}) {
  const status = useStore(pipeline.status);
  const report = useStore(pipeline.report);
  const history = useStore(pipeline.history);
  return (
    <section className="card pipeline" aria-labelledby="pipeline-title">
      <header>
        <h2 id="pipeline-title">Pipeline</h2>
        <label className="switch">
          <input type="checkbox" checked={isWanted} onChange={(event) => wantsPipeline.set(event.target.checked)} />
          Watch it
        </label>
      </header>
      {status ? (
        <p className="carrier" data-tone={toneOf(status)}>
          <span className="lamp" aria-hidden="true" />
          {describeTransport(status)}
        </p>
      ) : (
        <p className="empty">A second url is a second connection, and that too is one for all tabs.</p>
      )}
      {status && !report && <p className="empty">No report yet.</p>}
      {report && <Report report={report} history={history} />}
    </section>
  );
});

function Report({ report: { timestamp, data }, history }: { report: PipelineReport; history: readonly number[] }) {
  return (
    <>
      <p className="throughput">
        <b>{data.throughput}</b> items/s
        <Sparkline values={history} floor={0} />
      </p>
      <dl>
        <div>
          <dt>state</dt>
          <dd>{data.status}</dd>
        </div>
        <div>
          <dt>latency</dt>
          <dd>
            {data.latency_ms} <small>ms</small>
          </dd>
        </div>
        <div>
          <dt>queued</dt>
          <dd>{data.queued}</dd>
        </div>
      </dl>
      <ol>
        {data.stages.map(({ name, healthy, rate }) => (
          <li key={name} data-tone={healthy ? 'good' : 'warn'}>
            <span className="lamp" aria-hidden="true" />
            {name}
            <small>{healthy ? `${rate}/s` : 'held up'}</small>
          </li>
        ))}
      </ol>
      <p className="stamp">
        <time dateTime={timestamp}>{timestamp.slice(11, 19)} UTC</time>
      </p>
    </>
  );
}
