/**
 * The messages between a tab and a hub: `docs/PROTOCOL.md` as types. Every message is an array whose first item is its op.
 * A missing trailing item is null.
 */

/** The version of the protocol. */
export enum Protocol {
  /** The part that tab and hub must share. */
  Major = 1,
}

/** The op numbers: below 64 from tab to hub, from 64 on from hub to tab. */
export enum Op {
  Hello = 1,
  Bye = 2,
  Attach = 3,
  Detach = 4,
  Send = 5,
  Ack = 6,
  Alive = 7,
  Visibility = 8,
  Online = 9,
  Suspend = 10,
  Resume = 11,
  Reconnect = 12,
  Shutdown = 13,
  Report = 14,
  Answer = 15,
  Subscribe = 16,
  Unsubscribe = 17,
  Request = 18,
  Cancel = 19,
  Done = 20,
  Gate = 21,
  Outcome = 22,
  Acquire = 23,
  Force = 24,
  Lead = 25,
  Inspect = 26,

  Script = 64,
  Welcome = 65,
  Attached = 66,
  Refused = 67,
  Status = 68,
  Batch = 69,
  Sent = 70,
  Failed = 71,
  Gap = 72,
  Closed = 73,
  Beat = 74,
  Ask = 75,
  Need = 76,
  Move = 77,
  Unavailable = 78,
  Crashed = 79,
  Census = 80,
  Reply = 81,
  Who = 82,
  Error = 83,
  Overflow = 84,
  Beside = 85,
  Subscribed = 86,
  Unsubscribed = 87,
  Answered = 88,
  Unanswered = 89,
  Missed = 90,
  Single = 91,
  Breaker = 92,
  Verdict = 93,
  Ungated = 94,
  Alert = 95,
  Inspected = 96,
}

/** A boolean on the wire. */
export type Bit = 0 | 1;

/** A payload on the wire. */
export type Frame = string | ArrayBuffer;

/** A payload on its way to the server, or a topic and what is published there, as JSON text. */
export type SentFrame = Frame | Blob | [topic: string, data: string];

/** Who a tab is. */
export interface HelloBody {
  protocol: number;
  build: string;
  tab: string;
  liveness: 'locks' | 'heartbeat';
  lock?: string | undefined;
  visible: Bit;
  focused: Bit;
  online: Bit;
  wasmUrl?: string | undefined;
}

/** What a handle wants. */
export interface AttachBody {
  url: string;
  protocols: string[];
  key: string;
  options: object;
  need?: Need[] | undefined;
}

/** What a tab can be asked for. */
export type Need = 'url' | 'token';

/** What a tab answers when asked: a time is in ms from now. */
export type AnswerBody =
  | { url: string }
  | { token: string; expiresIn?: number | null }
  | { error: 'failed' | 'bad-url' | 'bad-token' };

/** Who a hub is. */
export interface WelcomeBody {
  protocol: number;
  build: string;
  epoch: string;
  lock: string | null;
  workerUrl: string;
  name: string;
}

/** A subscription, with the last message that it has had. */
export type WantedTopic = [
  number: number,
  topic: string,
  replay: number,
  last?: string | null,
  isConflated?: Bit,
  isSingle?: Bit,
];

/** What a tab says. */
export type TabMessage =
  | [Op.Hello, HelloBody]
  | [Op.Bye | Op.Alive | Op.Suspend | Op.Resume]
  | [Op.Attach, handle: number, AttachBody]
  | [Op.Detach, handle: number, code?: number | null, reason?: string | null, purge?: Bit | null]
  | [Op.Send, handle: number, conn: number, firstId: number, frames: SentFrame[]]
  | [Op.Ack, conn: number, next: number]
  | [Op.Visibility, visible: Bit, focused: Bit]
  | [Op.Online, Bit]
  | [Op.Reconnect | Op.Shutdown, handle: number]
  | [Op.Report, id: number]
  | [Op.Inspect, level: 0 | 1 | 2]
  | [Op.Answer, id: number, value: AnswerBody]
  | [Op.Subscribe, handle: number, conn: number, subscriptions: WantedTopic[]]
  | [Op.Unsubscribe, handle: number, conn: number, numbers: number[]]
  | [Op.Request, handle: number, conn: number, number: number, data: string, timeout: number]
  | [Op.Cancel | Op.Done, handle: number, conn: number, number: number]
  | [Op.Gate, name: string, options: { breaker: object }, snapshot: SnapshotItems | null]
  | [
      Op.Outcome,
      name: string,
      generation: number,
      permit: number,
      outcome: number,
      count: number,
      slow: number,
      ago?: number,
      retryAfter?: number | null,
    ]
  | [Op.Acquire, name: string, id: number, wish: number]
  | [Op.Force, name: string, order: number]
  | [Op.Lead, name: string, term: string];

/** What a breaker does with calls. */
export type BreakerState = 'closed' | 'open' | 'half-open' | 'forced-open' | 'forced-closed';

/** What a tab remembers of a breaker; on the wire the age instead of `changedAt`, and what is left instead of `until`. */
export type SnapshotItems = [
  state: BreakerState,
  generation: number,
  changedAt: number,
  until: number,
  openFor: number,
  openings: number,
];

/** The items of `breaker` that tell how it is: times in ms, from now or ago. */
export type BreakerItems = [
  state: BreakerState,
  reason: string,
  generation: number,
  remaining: number | null,
  openFor: number,
  openings: number,
  age: number | null,
  slowAfter: number | null,
  counters: number[],
];

/** What a connection is doing. */
export type State = 'idle' | 'connecting' | 'open' | 'suspect' | 'reconnecting' | 'offline' | 'closed' | 'failed';

/** The items of `status` and `attached` that tell how a connection is. */
export type StatusItems = [
  state: State,
  attempt: number,
  nextAttemptAt: number | null,
  code: number | null,
  reason: string,
  since: number,
  transport: 'websocket' | 'sse' | 'polling',
  protocol: string,
  extensions: string,
  cause: 0 | 1 | 2 | 3,
  closeReason?: string | null,
  wasClean?: Bit | null,
  event?: string | null,
];

/** `batch` */
export type BatchMessage = [
  Op.Batch,
  conn: number,
  first: number,
  frames: Frame[],
  wantAck?: Bit | null,
  marks?: Uint32Array | null,
];

/** What a hub says about one handle. */
export type HandleMessage =
  | [Op.Attached, handle: number, conn: number, next: number, ignored: string[], ...StatusItems]
  | [Op.Refused, handle: number, code: string, detail?: string | null]
  | [Op.Need, handle: number, id: number, kind: Need]
  | [Op.Sent, handle: number, handed: number, confirmed: number]
  | [Op.Failed, handle: number, firstId: number, count: number, reason: string]
  | [Op.Closed, handle: number, code: number, reason?: string | null, wasClean?: Bit | null]
  | [Op.Subscribed, handle: number, number: number, frames: Frame[], times: number[], mark: number]
  | [Op.Answered, handle: number, number: number, frames: Frame[], times: number[]]
  | [Op.Single, handle: number, number: number, frames: Frame[], times: number[], id: number, isAgain: Bit]
  | [Op.Unsubscribed, handle: number, number: number, code: string, detail: string]
  | [Op.Unanswered, handle: number, number: number, code: string]
  | [Op.Missed, handle: number, number: number, from: string | null, to: string | null, reason: string, suspected: Bit];

/** `gap` */
export type GapMessage = [
  Op.Gap,
  conn: number,
  from: number | null,
  to: number | null,
  count: number | null,
  reason: string,
  suspected?: Bit | null,
];

/** What a hub says about one connection, batches aside. */
export type ConnMessage =
  | [Op.Status, conn: number, ...StatusItems]
  | GapMessage
  | [Op.Overflow, conn: number, count: number, policy: string]
  | [Op.Alert, conn: number, event: string, fields: object];

/** What a hub has seen, for those who look inside. */
export type EntryItems =
  | [what: 'in' | 'out', at: number, conn: number, size: number, payload?: Frame]
  | [what: 'state', at: number, conn: number, state: State, reason: string, attempt: number, code?: number | null]
  | [what: 'log', at: number, conn: number, level: 'info' | 'warn', code: string, number: number];

/** What a hub says. */
export type HubMessage =
  | [Op.Script, build: string]
  | [Op.Welcome, WelcomeBody]
  | HandleMessage
  | ConnMessage
  | BatchMessage
  | [Op.Beat, epoch: string]
  | [Op.Ask]
  | [Op.Beside, protocol: number, build: string]
  | [Op.Move, { workerUrl: string; name: string }]
  | [Op.Unavailable, code: string, detail?: string | null]
  | [Op.Crashed, detail?: string | null]
  | [Op.Census, tabs: number, connections: number]
  | [Op.Reply, id: number, value: unknown]
  | [Op.Who]
  | [Op.Breaker, name: string, ...BreakerItems, ignored: string[]]
  | [Op.Verdict, name: string, id: number, granted: 1, generation: number, permit: number, lease: number | null]
  | [Op.Verdict, name: string, id: number, granted: 0, reason: string, retryAfter: number | null]
  | [Op.Ungated, name: string]
  | [Op.Inspected, dropped: number, entries: EntryItems[]]
  | [Op.Error, op: number, code: string];
