import type { Status } from 'tabwire';
import { type Tone, tones } from './tone.js';

/** What messages come by, within a sentence. */
export const transportNames: Readonly<Record<Status['transport'], string>> = {
  websocket: 'WebSocket',
  sse: 'server-sent events',
  polling: 'polling',
};

/** Says by what messages come, and where that is not the WebSocket, that it is not. */
export const describeTransport = ({ state, transport }: Pick<Status, 'state' | 'transport'>) => {
  const name = transportNames[transport];
  const title = name.charAt(0).toUpperCase() + name.slice(1);
  if (transport !== 'websocket') return `${title} (WebSocket unavailable)`;
  if (state === 'suspect') return `${title} does not answer`;
  return state === 'open' ? `${title} connected` : `${title} not connected`;
};

/** How good that is: what is open by something else than the WebSocket could be better. */
export const toneOf = ({ state, transport }: Pick<Status, 'state' | 'transport'>): Tone =>
  state === 'open' && transport !== 'websocket' ? 'warn' : tones[state];
