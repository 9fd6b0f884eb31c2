import type { Status } from 'tabwire';
import type { Market } from './market.js';
import { PriceRow } from './PriceRow.js';
import { TOPICS } from './quotes.js';
import { type Store, useStore } from './store.js';

/** The price of each symbol that this tab wants, and who else wants it. */
export function PricesCard({ market, status }: { market: Market; status: Store<Status> }) {
  const { symbols, quotes } = market;
  const { state } = useStore(status);
  const choice = useStore(market.choice);
  const roster = useStore(market.roster);
  const { topics, duplicates } = useStore(market.asked);
  const wanted = symbols.filter((symbol) => roster.some((member) => member.symbols.includes(symbol)));
  const asked = symbols.filter((symbol) => topics[`${TOPICS}${symbol}`]);
  return (
    <section className="card prices" aria-labelledby="prices-title">
      <header>
        <h2 id="prices-title">Live prices, a topic each</h2>
        <p>
          {state === 'open' || state === 'suspect'
            ? 'Each tab gets only what it chooses. The server is asked once for all of them.'
            : 'Not connected: these are the last prices. They go on where they were.'}
        </p>
      </header>
      {symbols.length === 0 ? (
        <p className="empty">
          This server has no prices: start it with <code>--prices 120</code>.
        </p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">This tab wants</th>
              <th scope="col" className="number">
                Price
              </th>
              <th scope="col" className="course">
                Course
              </th>
              <th scope="col" className="tabs">
                Wanted by
              </th>
              <th scope="col" className="asked">
                Server asked
              </th>
            </tr>
          </thead>
          <tbody>
            {symbols.map((symbol) => (
              <PriceRow
                key={symbol}
                symbol={symbol}
                isWanted={choice.includes(symbol)}
                quote={quotes.of(symbol)}
                members={roster}
                asked={topics[`${TOPICS}${symbol}`] ?? 0}
                onToggle={market.choice.toggle}
              />
            ))}
          </tbody>
        </table>
      )}
      <dl className="sum">
        <Sum name="topics in this tab" value={choice.length} />
        <Sum name="in all tabs" value={wanted.length} />
        <Sum name="asked of the server" value={asked.length} />
        <Sum name="asked twice" value={duplicates} />
      </dl>
    </section>
  );
}

function Sum({ name, value }: { name: string; value: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
