import type { Frame, HubMessage } from './protocol.js';

/**
 * One user of a connection. It is told everything that the hub says, payloads once it has taken their `batch`, and what the
 * client has to say, and picks what is for it. Returns, of a `batch`, whether it takes it; of a payload, whether the next
 * message needs a task of its own. A payload comes with what marks those of one topic.
 */
export type Handle = (input: HubMessage | Frame | CueMessage, mark?: number) => unknown;

/** What a client has to say to its handles. */
export enum Cue {
  /** Post what opens you. */
  Attach = -1,
  /** The hub is gone, and your connection with it. With `leave` it may live: take back what it might still send. */
  Lose = -2,
  /** It is over; with a reason, because it failed. */
  End = -3,
  /** What {@link Client} says of its place may have changed. Are you open? */
  Look = -4,
  /** What you have posted may have reached the server, unseen. */
  Risk = -5,
}

/** How a handle leaves a hub that is not known to be dead. */
export enum Leave {
  /** It is said to be dead, and may still act: what it has is at risk. */
  Dead = 1,
  /** It has settled all that it has handed, and hands nothing more. */
  Settled = 2,
}

/** A cue. */
export type CueMessage =
  | [Cue.Attach | Cue.Look | Cue.Risk]
  | [Cue.Lose, about?: null, leave?: Leave]
  | [Cue.End, about: null, failure?: string];
