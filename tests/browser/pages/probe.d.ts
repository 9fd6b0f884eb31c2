import type {
  Hub,
  HubOptions,
  SharedWebSocket,
  SocketOptions,
  Status,
  Subscription,
  TopicMessage,
} from '../../../www/client/index.js';

/** What happened to a socket. */
export interface Probe {
  /** Messages. */
  got: number;
  /** One more than the number of the last numbered message. */
  next: number;
  /** Numbered messages that were not the next, as [expected, got]; the first 10. */
  wrong: [number, number][];
  /** The first 5000 messages, cut to 100 characters. */
  texts: string[];
  events: { type: string; code?: number; reason?: string; wasClean?: boolean; readyState?: number }[];
  statuses: Status[];
  gaps: { topic?: string; from?: number | string; to?: number | string; reason: string; suspected: boolean }[];
  /** How many messages had come before each gap. */
  gapsAt: number[];
  failed: { count: number; reason: string }[];
  overflows: { count: number; policy: string }[];
}

/** What a subscription was told. */
export interface Heard {
  topic: string;
  messages: TopicMessage[];
  errors: { code: string; detail?: unknown }[];
  subscription: Subscription;
}

declare global {
  interface Window {
    /** Set before the first socket: how the page's hub is made. */
    hubOptions?: HubOptions;
    hub(): Hub;
    listen(url: string, options?: SocketOptions, name?: string, protocols?: string[]): void;
    probe(name?: string): Probe;
    socket(name?: string): SharedWebSocket;
    subscribe(topics: string[], name?: string): Heard[];
    heard: Heard[];
    /** `pageshow.persisted`, for each time that the page was shown since it was loaded. */
    restored: boolean[];
    tabsAre(tabs: number): Promise<number>;
  }
}
