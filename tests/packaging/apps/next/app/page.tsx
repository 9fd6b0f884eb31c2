import { WebSocketProvider } from 'tabwire/react';
import { Live } from './live';

/** A server component: what it imports must say itself that it is for the client. The page's url, which it does not know, names the socket. */
export default function Page() {
  return (
    <WebSocketProvider url="/unknown" userId={null}>
      <Live />
    </WebSocketProvider>
  );
}
