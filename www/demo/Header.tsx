import { hueOf, me } from './me.js';

/** Name and pitch, and what this tab is called. */
export function Header() {
  return (
    <header className="header">
      <div className="brand">
        <svg className="mark" viewBox="0 0 28 28" aria-hidden="true">
          <path d="M3 6c6 0 6 8 11 8M3 14h11M3 22c6 0 6-8 11-8M14 14h11" />
          <circle cx="14" cy="14" r="3.4" />
        </svg>
        <span className="name">tabwire</span>
        <span className="tab-name" style={{ '--hue': hueOf(me) }}>
          this is tab <code>{me}</code>
        </span>
      </div>
      <h1>
        One WebSocket for the whole browser. <span>Every tab shares it, and it heals by itself.</span>
      </h1>
    </header>
  );
}
