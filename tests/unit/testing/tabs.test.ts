import { SharedWebSocket } from 'tabwire';
import { installTabwire, type TestBrowser, type TestTab } from 'tabwire/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const url = 'wss://server.example/jobs';
let browser: TestBrowser;

beforeEach(() => {
  vi.useFakeTimers();
  browser = installTabwire();
  browser.server.reply = (frame) => {
    const { type, id } = JSON.parse(frame as string);
    if (type === 'ping') return '{"type":"pong"}';
    return type === 'subscribe' ? JSON.stringify({ type: 'answer', id, data: null }) : undefined;
  };
});
afterEach(async () => {
  await browser.restore();
  vi.useRealTimers();
});

/** Lets a tab take jobs, and notes them. */
const work = async (tab: TestTab, done: (data: unknown) => unknown = () => {}) => {
  const jobs: unknown[] = [];
  tab.socket(url, [], { subprotocol: 'json' }).subscribe(
    'jobs',
    ({ data }) => {
      jobs.push(data);
      return done(data);
    },
    { deliver: 'one' },
  );
  await browser.settled();
  return jobs;
};
const give = async (data: unknown) => {
  browser.server.send(JSON.stringify({ type: 'message', topic: 'jobs', data }));
  await browser.settled();
};

test('a job goes to the tab that has the focus', async () => {
  const [one, two] = [browser.openTab(), browser.openTab()];
  one.look(true, false);
  two.look(true, true);
  const jobs = [await work(one), await work(two)];
  await give('first');
  two.look(false);
  one.look(true);
  await browser.settled();
  await give('second');
  expect(jobs).toEqual([['second'], ['first']]);
  one.close();
  two.close();
});

test('the job of a tab that dies goes to another', async () => {
  const [one, two] = [browser.openTab(), browser.openTab()];
  one.look(true);
  two.look(false);
  const jobs = [await work(one, () => new Promise(() => {})), await work(two)];
  await give('job');
  expect(jobs).toEqual([['job'], []]);
  one.crash();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(jobs).toEqual([['job'], ['job']]);
  two.close();
});

test('a tab with a connection of its own has one', async () => {
  const shared = new SharedWebSocket(url);
  const own = new SharedWebSocket(url, [], { host: { use: 'this-tab' } });
  await browser.settled();
  expect(browser.server.requests).toBe(2);
  expect(own.status).toMatchObject({ state: 'open', host: 'this-tab' });
  shared.close();
  own.close();
});
