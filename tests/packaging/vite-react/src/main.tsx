import { createRoot } from 'react-dom/client';
import { SharedWebSocket } from 'tabwire';
import { useSharedWebSocket, WebSocketProvider } from 'tabwire/react';

const url = new URLSearchParams(location.search).get('socket') ?? '';

/** What the test reads: the texts that this tab's plain handle was sent. */
const texts: unknown[] = [];
Object.assign(window, { texts });
new SharedWebSocket(url).addEventListener('message', (event) => texts.push((event as MessageEvent).data));

function Status() {
  const { status } = useSharedWebSocket();
  return <output>{`${status.state} in ${status.host}`}</output>;
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <WebSocketProvider url={url}>
    <Status />
  </WebSocketProvider>,
);
