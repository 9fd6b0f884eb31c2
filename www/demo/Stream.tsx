import { memo } from 'react';
import { timeOf } from './clock.js';
import { describe } from './describe.js';
import { feed, type Message } from './feed.js';
import { hueOf, me } from './me.js';
import { SendBox } from './SendBox.js';
import { Sparkline } from './Sparkline.js';
import { useStore } from './store.js';
import type { Wire } from './wire.js';

/** How much reaches this tab, what of it is no price, newest on top, and a box to send something to every tab. */
export function Stream({ wire }: { wire: Wire }) {
  const { messages, rate, total, history } = useStore(feed.traffic);
  return (
    <section className="card stream" aria-labelledby="stream-title">
      <header>
        <h2 id="stream-title">Messages</h2>
        <Sparkline values={history} floor={0} least={4} />
        <p className="rate">
          <b>{rate.toLocaleString('en')}</b>/s <small>{total.toLocaleString('en')} in this tab</small>
        </p>
      </header>
      <SendBox onSend={wire.broadcast} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it */}
      <ol tabIndex={0} aria-labelledby="stream-title">
        {messages.map((message) => (
          <Row key={message.id} message={message} />
        ))}
        {messages.length === 0 && <li className="empty">Nothing has arrived yet.</li>}
      </ol>
    </section>
  );
}

const Row = memo(function Row({ message }: { message: Message }) {
  const { type, from, text, fields } = describe(message.data);
  return (
    <li>
      <time>{timeOf(message.at)}</time>
      <span className="type" data-type={type}>
        {type.replaceAll('_', ' ')}
      </span>
      <span className="data">
        {from !== undefined && (
          <span className="tab-name" style={{ '--hue': hueOf(from) }}>
            <code>{from}</code>
            {from === me && ' (this tab)'}
          </span>
        )}
        {text}
        {fields?.map(([name, value]) => (
          <span className="field" key={name}>
            {name} <b>{value}</b>
          </span>
        ))}
      </span>
    </li>
  );
});
