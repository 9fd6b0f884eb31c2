import { type ReactNode, StrictMode, useLayoutEffect } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import * as tabwire from 'tabwire';
import {
  type SharedWebSocketResult,
  useCircuitBreaker,
  useSharedWebSocket,
  useTopic,
  WebSocketProvider,
  type WebSocketProviderProps,
} from 'tabwire/react';

/** What the page of tests/browser/react.test.ts does, in the development build of React and under StrictMode. */
declare global {
  interface Window {
    /** Mounts the components, or renders them with other settings; with null unmounts them. */
    show(settings: WebSocketProviderProps | null): void;
    /** What each component had read, for each time that React has committed a render of it. */
    commits: Record<'status' | 'last' | 'topic' | 'sum' | 'breaker' | 'nothing', unknown[]>;
    /** What React has complained about. */
    complaints: string[];
    result: SharedWebSocketResult;
  }
}

const useRecord = (name: keyof Window['commits'], value: unknown): ReactNode => {
  useLayoutEffect(() => {
    window.commits[name].push(value);
  });
  return <p id={name}>{String(value)}</p>;
};

const Status = () => useRecord('status', useSharedWebSocket().status.state);
const Last = () => useRecord('last', useSharedWebSocket().lastMessage?.data ?? null);
const Topic = () => useRecord('topic', useTopic<number>('price') ?? null);
const Sum = () =>
  useRecord('sum', useTopic('price', { initial: 0, reduce: (sum: number, data: number) => sum + data }));
const Breaker = () => useRecord('breaker', useCircuitBreaker('api').state);
const Nothing = () => {
  window.result = useSharedWebSocket();
  return useRecord('nothing', typeof window.result.send);
};

window.tabwire = tabwire;
window.commits = { status: [], last: [], topic: [], sum: [], breaker: [], nothing: [] };
window.complaints = [];
console.error = (...given: unknown[]) => window.complaints.push(given.join(' '));

const root = createRoot(document.getElementById('root') as HTMLElement);
window.show = (settings) =>
  flushSync(() =>
    root.render(
      <StrictMode>
        {settings && (
          <WebSocketProvider {...settings}>
            <Status />
            <Last />
            <Topic />
            <Sum />
            <Breaker />
            <Nothing />
          </WebSocketProvider>
        )}
      </StrictMode>,
    ),
  );
