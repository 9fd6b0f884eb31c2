import { expect, test } from 'vitest';
import { readReport } from './pipeline.js';

test('a report is read, and nothing else is', () => {
  const report = { type: 'pipeline_status', timestamp: 't', data: { status: 'running' } };
  expect(readReport(JSON.stringify(report))).toEqual(report);
  for (const other of ['17 xxx', '{', 'null', '7', '{"type":"pong"}', '{"type":"pipeline_status"}', new Blob()])
    expect(readReport(other)).toBeUndefined();
});
