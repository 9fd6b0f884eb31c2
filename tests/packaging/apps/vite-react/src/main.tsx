import { createRoot } from 'react-dom/client';
import { SharedWebSocket } from 'tabwire';
import { useSharedWebSocket, WebSocketProvider } from 'tabwire/react';

const asked = new URLSearchParams(location.search);
const url = asked.get('socket') ?? '';
const options = { host: { use: (asked.get('use') ?? 'auto') as 'auto' | 'leader-tab' } };

/** What the test reads: the texts that this tab's plain handle was sent. */
const texts: unknown[] = [];
Object.assign(window, { texts });
new SharedWebSocket(url, [], options).addEventListener('message', (event) => texts.push((event as MessageEvent).data));

function Status() {
  const { status } = useSharedWebSocket();
  return <output>{`${status.state} in ${status.host}`}</output>;
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <WebSocketProvider url={url} options={options}>
    <Status />
  </WebSocketProvider>,
);
