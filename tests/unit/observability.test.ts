// @vitest-environment node
import { readFileSync } from 'node:fs';
import { parser } from '@prometheus-io/lezer-promql';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { format } from '../../www/client/metrics.js';
import { hubReport } from './client/reports.js';

const text = format(hubReport());
const printed = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
const labels = new Set([...text.matchAll(/([a-z]+)="/g)].map(([, name]) => name));

interface Rules {
  groups: { name: string; rules: { alert: string; expr: string; for?: string; annotations: { summary: string } }[] }[];
}
interface Dashboard {
  panels: { title: string; targets: { expr: string }[]; gridPos: { x: number; y: number; w: number; h: number } }[];
}

const rules = (parse(readFileSync('docs/observability/alerts.yml', 'utf8')) as Rules).groups.flatMap(
  ({ rules }) => rules,
);
const { panels } = JSON.parse(readFileSync('docs/observability/dashboard.json', 'utf8')) as Dashboard;
const queries = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
];

/** What a query asks for; Grafana puts a duration in the place of its variable. */
const namesIn = (query: string) => {
  const read = query.replaceAll('$__rate_interval', '5m');
  const found = { metrics: [] as string[], labels: [] as string[], errors: [] as string[] };
  parser.parse(read).iterate({
    enter({ name, from, to, type }) {
      const said = read.slice(from, to);
      if (type.isError) found.errors.push(`${from}: ${said}`);
      if (name === 'VectorSelector') found.metrics.push(said.replace(/\{.*$/s, ''));
      if (name === 'LabelName') found.labels.push(said);
    },
  });
  return found;
};

test.each(queries)('%s asks for what metrics() prints: %s', (_, query) => {
  const { metrics, labels: named, errors } = namesIn(query);
  expect(errors).toEqual([]);
  expect(metrics.length).toBeGreaterThan(0);
  for (const metric of metrics) expect(printed).toContain(metric);
  for (const label of named) expect(labels).toContain(label);
});

test('a query that is none is found', () => {
  expect(namesIn('rate(tabwire_lost_total[5m]').errors).not.toEqual([]);
  expect(namesIn('tabwire_lost{url="x"}')).toMatchObject({ metrics: ['tabwire_lost'], labels: ['url'], errors: [] });
});

test('alerts have names of their own, and summaries with labels that there are', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  for (const { annotations, for: span } of rules) {
    for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) expect(labels).toContain(label);
    expect(span ?? '1m').toMatch(/^\d+[smh]$/);
  }
});

test('no two panels of the dashboard lie over each other', () => {
  const taken = new Set<string>();
  for (const { gridPos } of panels) {
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(x).toBeLessThan(24);
        expect(taken).not.toContain(`${x},${y}`);
        taken.add(`${x},${y}`);
      }
    }
  }
});

test('docs/OBSERVABILITY.md has every metric, and no other', () => {
  const table = readFileSync('docs/OBSERVABILITY.md', 'utf8');
  const told = [...table.matchAll(/^\| `(tabwire_\w+)` \|/gm)].map(([, name]) => name);
  expect(told.sort()).toEqual([...printed].sort());
});
