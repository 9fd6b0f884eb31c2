import { readRetryAfter } from '../www/client/response.js';

/** What has come of a request: its headers, a piece of its body, its end. */
export enum Came {
  Headers,
  Text,
  End,
}

/** Told of what has come: with the headers status, type, tag, last change and time to stay away; with a piece its text; with the end whether it is the right one. */
export type Tell = (
  what: Came,
  first: unknown,
  type?: string,
  etag?: string | null,
  modified?: string | null,
  retryAfter?: number | null,
) => void;

/** Makes a request, whose body is read as text as it comes. Returns what gives it up: nothing is told after that. */
export const request = (
  url: string,
  method: string,
  headers: [string, string][],
  body: BodyInit | null,
  tell: Tell,
) => {
  const controller = new AbortController();
  const run = async () => {
    const response = await fetch(new URL(url, self.location.href), {
      method,
      headers,
      body,
      cache: 'no-store',
      signal: controller.signal,
    });
    const { status, headers: got } = response;
    const header = (name: string) => got.get(name);
    tell(
      Came.Headers,
      status,
      header('content-type') ?? '',
      header('etag'),
      header('last-modified'),
      readRetryAfter(header('retry-after')),
    );
    const decoder = new TextDecoder();
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      tell(Came.Text, decoder.decode(part.value, { stream: true }));
    }
    tell(Came.End, true);
  };
  run().catch(() => tell(Came.End, false));
  return () => {
    tell = () => {};
    controller.abort();
  };
};
