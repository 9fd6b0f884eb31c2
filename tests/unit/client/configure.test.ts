import { beforeEach, expect, test, vi } from 'vitest';
import { Op } from '../../../www/client/protocol.js';
import { installFakes, settle, workers } from './fakes.js';

beforeEach(async () => {
  await installFakes();
  vi.resetModules();
});

test('configure sets where the sockets of the page find their hub, before the first', async () => {
  const { configure, SharedWebSocket } = await import('tabwire');
  configure({ host: { workerUrl: '/mine.js', scriptDeadline: 5 }, liveness: 'heartbeat' });
  configure({ host: { workerUrl: '/mine.js' } });
  new SharedWebSocket('wss://server.example/ws');
  expect(workers.latest.url).toBe('/mine.js');
  expect(() => configure({})).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));

  new SharedWebSocket('wss://server.example/other');
  expect(workers.made).toHaveLength(1);
  new SharedWebSocket('wss://server.example/ws', [], { host: { use: 'this-tab' } });
  await settle();
  expect(workers.latest).toMatchObject({ kind: 'dedicated', url: '/mine.js' });
});

test('configure checks its options', async () => {
  const { configure } = await import('tabwire');
  expect(() => configure({ host: { use: 'moon' as never } })).toThrow(new RangeError('host.use: "moon"'));
});

test('the first socket decides how the page shows that it lives', async () => {
  const { SharedWebSocket } = await import('tabwire');
  new SharedWebSocket('wss://server.example/ws', [], { liveness: 'heartbeat' });
  expect(workers.latest.all(Op.Hello)[0]?.[1].liveness).toBe('heartbeat');
});
