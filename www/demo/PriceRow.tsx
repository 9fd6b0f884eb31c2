import { memo } from 'react';
import { hueOf, me } from './me.js';
import { changeText, priceText, type Quote } from './quotes.js';
import type { Member } from './roster.js';
import { Sparkline } from './Sparkline.js';
import { type Store, useStore } from './store.js';

interface Props {
  symbol: string;
  /** Whether this tab wants it. */
  isWanted: boolean;
  quote: Store<Quote | undefined>;
  /** All tabs. */
  members: readonly Member[];
  /** On how many connections the server has been asked for it. */
  asked: number;
  onToggle: (symbol: string) => void;
}

/** A symbol: its price where this tab wants it, and which tabs do. */
export const PriceRow = memo(function PriceRow({ symbol, isWanted, quote, members, asked, onToggle }: Props) {
  const { price, open, direction, history, isKept } = useStore(quote) ?? nothing;
  return (
    <tr data-wanted={isWanted} data-way={price < open ? 'down' : 'up'} data-symbol={symbol}>
      <th scope="row">
        <label>
          <input type="checkbox" checked={isWanted} onChange={() => onToggle(symbol)} />
          {symbol}
        </label>
      </th>
      <td className="number">
        {isWanted && history.length > 0 ? (
          <>
            <span className="price" data-went={direction} key={price}>
              {priceText(price)}
            </span>
            <span className="change">{isKept ? 'kept by the hub' : changeText({ price, open })}</span>
          </>
        ) : (
          <span className="none">{isWanted ? 'waiting' : 'not here'}</span>
        )}
      </td>
      <td className="course">{isWanted && <Sparkline values={history} />}</td>
      <td className="tabs">
        <Who members={members.filter(({ symbols }) => symbols.includes(symbol))} />
      </td>
      <td className="asked" data-asked={asked}>
        {asked === 1 ? 'once' : asked === 0 ? 'no' : `${asked} times`}
      </td>
    </tr>
  );
});

function Who({ members }: { members: readonly Member[] }) {
  const count = `${members.length} ${members.length === 1 ? 'tab' : 'tabs'}`;
  return (
    <span className="who">
      <span className="dots" aria-hidden="true">
        {members.slice(0, MOST).map(({ tab }) => (
          <i key={tab} className={tab === me ? 'mine' : undefined} style={{ '--hue': hueOf(tab) }} title={tab} />
        ))}
      </span>
      <small>{count}</small>
    </span>
  );
}

const nothing: Quote = { price: 0, open: 0, direction: 'same', history: [], isKept: false };

/** The most tabs that are shown as dots. */
const MOST = 6;
