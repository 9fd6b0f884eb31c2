import { describe, expect, test } from 'vitest';
import { isFailure } from '../../../www/client/response.js';
import statuses from '../../fixtures/statuses.json' with { type: 'json' };

describe('a response', () => {
  test.each(statuses)('with status $status counts as $counts', ({ status, counts }) => {
    expect(isFailure(status)).toBe(counts === 'failure');
  });
});
