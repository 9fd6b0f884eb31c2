import { Op } from '../www/client/protocol.js';
import type { Endpoint } from './endpoint.js';
import type { Host } from './host.js';

/**
 * Lets the hub of this dedicated worker be that of other pages too. `name` is what pages that look for a leader listen to, `term`
 * this one among those who lead one after the other.
 *
 * Each page has a channel of its own, and each connection one that the pages which have it open share: what all of them get
 * goes there once. No order holds between channels, so all that is for a page is numbered.
 */
export const lead = (host: Host, name: string, term: string): void => {
  const control = new BroadcastChannel(name);
  const shared = new Map<number, BroadcastChannel>();
  /** Batches of this turn, with the pages that get each. */
  const batches = new Map<Batch, Share[]>();
  const say = () => control.postMessage(['lead', term]);

  control.onmessage = ({ data }) => {
    const [what, of, id] = Array.isArray(data) ? data : [];
    if (what === 'who') say();
    if (what === 'join' && of === term && typeof id === 'string') host.open(follower(id));
  };

  const follower = (id: string): Endpoint => {
    const channel = new BroadcastChannel(`${name}:${term}:${id}`);
    /** The connections whose channel it has open. */
    const open = new Set<number>();
    /** How often it has closed its channels, counted downwards, and whether it has not come back since. */
    let away = 0;
    let isAway = false;
    /** What it has been told of failed sends, and has not confirmed. */
    let unconfirmed: unknown[] = [];
    let next = 0;
    const post = (...numbered: Numbered) => channel.postMessage(away ? [...numbered, away] : numbered);
    const endpoint: Endpoint = {
      onmessage: null,
      postMessage(message) {
        const number = next++;
        const batch = message as Batch;
        if (batch[0] === Op.Failed) unconfirmed.push(message);
        if (batch[0] !== Op.Batch || !open.has(batch[1])) return post(number, message);
        if (!batches.size) queueMicrotask(flush);
        // The hub changes the array for the next page.
        const share: Share = [id, number, batch[2], post];
        batches.get(batch)?.push(share) ?? batches.set(batch, [share]);
      },
      // What it gets in this turn is posted first.
      leave: () => queueMicrotask(() => channel.close()),
    };
    channel.onmessage = (event) => {
      const { data } = event;
      if (data === null) unconfirmed.shift();
      else if (typeof data !== 'number') {
        if (isAway) comeBack();
        endpoint.onmessage?.(event);
      } else if (data >= 0) open.add(data);
      else {
        open.clear();
        away = data;
        isAway = true;
      }
    };
    /** What was on its way when the page closed its channels has gone with them, and a failed send is told only once by the hub. */
    const comeBack = () => {
      isAway = false;
      const lost = unconfirmed;
      unconfirmed = [];
      lost.forEach(endpoint.postMessage);
    };
    return endpoint;
  };

  const flush = () => {
    for (const [batch, shares] of batches) {
      const [first, another] = shares;
      if (first && !another) {
        const [, number, sequence, post] = first;
        batch[2] = sequence;
        post(number, batch);
        continue;
      }
      const conn = batch[1];
      const channel = shared.get(conn) ?? new BroadcastChannel(`${name}:${term}:${conn}`);
      shared.set(conn, channel);
      channel.postMessage([shares.map(([id, number, at]) => [id, number, at]), batch]);
    }
    batches.clear();
  };

  say();
};

/** As much of a `batch` as counts here. */
type Batch = [Op, conn: number, first: number, ...unknown[]];

/** A message, and the how manieth it is for its page. */
type Numbered = [number: number, message: unknown];

/** Who gets a batch: which page, as its how manieth message, with which sequence, and what posts to it alone. */
type Share = [id: string, number: number, first: number, post: (...numbered: Numbered) => void];
