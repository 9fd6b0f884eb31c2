import type { FallbackOptions, Hub, SocketOptions, Status } from 'tabwire';
import { createStore, type Store } from './store.js';

/** A report of the pipeline, as the server sends it every 5 s. */
export interface PipelineReport {
  readonly timestamp: string;
  readonly data: {
    readonly status: string;
    readonly active: number;
    readonly queued: number;
    readonly throughput: number;
    readonly latency_ms: number;
    readonly stages: readonly { readonly name: string; readonly healthy: boolean; readonly rate: number }[];
  };
}

/** The pipeline's reports: another url, so another connection, which is there only while it is wanted. */
export interface Pipeline {
  /** How that connection is; nothing while there is none. */
  readonly status: Store<Status | undefined>;
  /** The newest report of this connection. */
  readonly report: Store<PipelineReport | undefined>;
  /** The throughput of the last reports, oldest first. */
  readonly history: Store<readonly number[]>;
  /** Opens the connection. Returns what leaves it. */
  open(): () => void;
}

/** Makes what opens the pipeline; `heard` gets everything that comes. */
export const createPipeline = (
  hub: Hub,
  base: string,
  options: SocketOptions,
  heard: (data: unknown) => void,
): Pipeline => {
  const status = createStore<Status | undefined>(undefined);
  const report = createStore<PipelineReport | undefined>(undefined);
  const history = createStore<readonly number[]>([]);
  return {
    status,
    report,
    history,
    open() {
      const fallback = fallbackAt(base.replace(/^ws/, 'http'));
      const socket = hub.socket(`${base}/ws/monitoring/pipeline-status`, [], { ...options, fallback });
      const note = () => status.set(socket.status);
      note();
      socket.addEventListener('statuschange', note);
      socket.addEventListener('message', ({ data }) => {
        heard(data);
        const next = readReport(data);
        if (!next) return;
        report.set(next);
        history.set([...history.get().slice(1 - KEPT), next.data.throughput]);
      });
      return () => {
        socket.removeEventListener('statuschange', note);
        socket.close();
        status.set(undefined);
        report.set(undefined);
      };
    },
  };
};

/** Reads a report; of anything else there is none. */
export const readReport = (data: unknown): PipelineReport | undefined => {
  try {
    const message = JSON.parse(String(data));
    return message?.type === 'pipeline_status' && message.data ? message : undefined;
  } catch {
    return undefined;
  }
};

/** There is no stream of reports: without a WebSocket they are polled. */
const fallbackAt = (web: string): FallbackOptions => ({
  polling: { url: `${web}/api/v1/public/pipeline-status`, interval: 5000 },
  after: { attempts: 2, timeout: 4000 },
});

/** How many reports are remembered. */
const KEPT = 40;
