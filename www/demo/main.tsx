import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.js';
import { watchAsked } from './asked.js';
import { createChoice } from './choice.js';
import { me } from './me.js';
import { watchRoster } from './roster.js';
import { readConfig, watchStats } from './server.js';
import { openWire } from './wire.js';

document.title = `tabwire, tab ${me}`;
const root = createRoot(document.getElementById('root') as HTMLElement);

try {
  const { wire: base, prices: symbols } = await readConfig();
  const choice = createChoice(symbols);
  const wire = openWire(base, choice);
  const market = { symbols, choice, quotes: wire.quotes, roster: watchRoster(choice), asked: watchAsked() };
  root.render(
    <StrictMode>
      <App wire={wire} market={market} stats={watchStats()} />
    </StrictMode>,
  );
} catch (error) {
  root.render(
    <main className="stranded">
      <h1>The demo server does not answer</h1>
      <p>
        This page needs the server that <code>npm start</code> runs. {String(error)}
      </p>
    </main>,
  );
}
