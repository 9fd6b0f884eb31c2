import { createHub, type Hub } from '../client/index.js';
import type { Wire } from './wire.js';

/** Another tab of the browser, beside the page of the test itself. */
export interface TestTab extends Pick<Hub, 'socket' | 'breaker' | 'fetch' | 'report'> {
  /** It is seen, or not; and has the focus, or not [as it is seen]. Until then both are as of the page of the test. */
  look(visible: boolean, focused?: boolean): void;
  /** It is closed: its sockets end, and the hub is told. */
  close(): void;
  /** It dies: its sockets end, and the hub is not told. That notices by itself, when the tab leaves a question unanswered. */
  crash(): void;
}

/** Opens a tab; `wires` gives those that it has made, `looks` has how each tab is seen. */
export const openTab = (
  id: string,
  wires: () => Wire[],
  looks: Map<string | null, [visible: boolean, focused: boolean]>,
): TestTab => {
  const workerUrl = new URL(`?tabwire-tab=${id}`, document.baseURI);
  const { socket, breaker, fetch, report, close } = createHub({ host: { workerUrl } });
  return {
    socket,
    breaker,
    fetch,
    report,
    look(visible, focused = visible) {
      looks.set(id, [visible, focused]);
      for (const wire of wires()) wire.look(visible, focused);
    },
    close,
    crash() {
      for (const wire of wires()) wire.cut();
      close();
    },
  };
};
