import { expect, test } from 'vitest';
import { describe } from './describe.js';

test('a broadcast of a tab names the tab', () => {
  const data = '{"type":"broadcast","timestamp":"…","data":{"from":"a41f","text":"hello"}}';
  expect(describe(data)).toEqual({ type: 'broadcast', from: 'a41f', text: 'hello' });
});

test('a message of a topic is called by the topic', () => {
  const data = '{"type":"message","topic":"chat","seq":1,"data":{"from":"a41f","text":"hello"}}';
  expect(describe(data)).toEqual({ type: 'chat', from: 'a41f', text: 'hello' });
});

test('a report becomes named values, words before numbers, without what is nested', () => {
  const data = '{"type":"pipeline_status","data":{"latency_ms":1234,"stages":[],"status":"running"}}';
  expect(describe(data)).toEqual({
    type: 'pipeline_status',
    fields: [
      ['status', 'running'],
      ['latency ms', '1,234'],
    ],
  });
});

test('a message of a flood is told by its number and size', () => {
  expect(describe('17 xxxxx')).toEqual({ type: 'flood', text: 'number 17, 8 bytes' });
});

test('what is not understood is shown as it is', () => {
  for (const text of ['', 'hello', '{', '[1]', 'null', '{"type":7}'])
    expect(describe(text)).toEqual({ type: 'text', text });
  expect(describe('{"type":"tabs"}')).toEqual({ type: 'tabs', text: '' });
  expect(describe(new Blob(['abc']))).toEqual({ type: 'binary', text: '3 bytes' });
});
