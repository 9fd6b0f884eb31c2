import { memo, useEffect, useMemo, useRef, useState } from 'react';
import type { Status } from 'tabwire';
import { feed } from './feed.js';
import { type Layout, layOut } from './layout.js';
import { hueOf } from './me.js';
import { createPulses } from './pulses.js';
import type { Member } from './roster.js';
import type { Tone } from './tone.js';
import { transportNames } from './transport.js';

interface Props {
  tabs: number;
  connections: number;
  /** The tabs, as far as they are known by name. */
  roster: readonly Member[];
  /** How the connection is. */
  tone: Tone;
  /** What messages come by. */
  transport: Status['transport'];
  /** Where the hub runs. */
  hub: string;
  /** Whether the server takes connections. */
  isListening: boolean;
}

/** Tabs, hub and server, with the messages on their way between them. */
export const Diagram = memo(function Diagram({ tabs, connections, roster, tone, transport, hub, isListening }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  const layout = useMemo(() => layOut(...size, tabs, connections), [size, tabs, connections]);
  const layer = useRef<SVGGElement>(null);
  const glyphs = useRef<SVGGElement>(null);
  usePulses(layout, roster, layer, glyphs);
  const { width, height, tab, server, middle } = layout;

  return (
    <div className="diagram" ref={box} data-tone={tone}>
      <svg
        viewBox={`0 0 ${width} ${height}`}
        role="img"
        aria-label={`${tabs} tabs, one hub, ${connections} connections to the server`}
      >
        {layout.tabs.map(({ path }) => (
          <path className="fan" key={path} d={path} />
        ))}
        {layout.wires.map((path) => (
          <path className="wire" key={path} d={path} />
        ))}
        <text className="caption" x={middle.x} y={middle.y - 16 - 8 * (layout.wires.length - 1)}>
          {captionOf(transport, layout.wires.length)}
        </text>
        <g ref={layer} />
        <g ref={glyphs}>
          {layout.tabs.map(({ x, y }, index) => (
            <g
              className={index ? 'tab' : 'tab mine'}
              key={y}
              transform={`translate(${x} ${y - tab.height / 2})`}
              style={{ '--hue': hueOf(roster[index]?.tab ?? '') }}
            >
              <rect className="sheet" width={tab.width} height={tab.height} rx="4" />
              <rect className="lit" width={tab.width} height={tab.height} rx="4" />
              <path className="sheet" d={`M0 ${tab.height * 0.32}H${tab.width}`} />
            </g>
          ))}
        </g>
        {layout.hidden > 0 && (
          <text className="caption more" x={tab.width + 12} y={height - 4}>
            and {layout.hidden} more
          </text>
        )}
        <Hub {...layout.hub} name={hub} />
        <Server {...server} isListening={isListening} />
      </svg>
    </div>
  );
});

const captionOf = (transport: Props['transport'], wires: number) =>
  wires > 1 ? (transport === 'websocket' ? `${wires} WebSockets` : `${wires} connections`) : captions[transport];

/** There is little room. */
const captions = { ...transportNames, sse: 'events' };

function Hub({ x, y, r, name }: Layout['hub'] & { name: string }) {
  return (
    <g className="hub">
      <circle className="halo" cx={x} cy={y} r={r + 7} />
      <circle className="core" cx={x} cy={y} r={r} />
      <text x={x} y={y + 6}>
        hub
      </text>
      <text className="caption" x={x} y={y + r + 27}>
        {name}
      </text>
    </g>
  );
}

function Server({ x, y, width, height, isListening }: Layout['server'] & { isListening: boolean }) {
  const row = height / 3;
  return (
    <g className="server" data-on={isListening} transform={`translate(${x} ${y - height / 2})`}>
      <rect className="rack" width={width} height={height} rx="8" />
      {[0, 1, 2].map((index) => (
        <g key={index} transform={`translate(0 ${row * index})`}>
          {index > 0 && <path className="rack" d={`M0 0H${width}`} />}
          <circle className="led" cx={13} cy={row / 2} r="2.6" />
          <path className="rack" d={`M${22} ${row / 2}H${width - 11}`} />
        </g>
      ))}
      <text className="caption" x={width / 2} y={height + 20}>
        {isListening ? 'server' : 'down'}
      </text>
    </g>
  );
}

/** Plays what arrives and leaves, thinned out to what an eye can follow. */
function usePulses(
  layout: Layout,
  roster: readonly Member[],
  layer: React.RefObject<SVGGElement | null>,
  glyphs: React.RefObject<SVGGElement | null>,
) {
  const current = useRef(layout);
  current.current = layout;
  const members = useRef(roster);
  members.current = roster;
  useEffect(() => {
    const dots = layer.current;
    if (!dots) return;
    const pulses = createPulses(dots);
    const last = { in: 0, out: 0 };
    return feed.watch(async (direction, connection, symbol) => {
      const now = performance.now();
      if (document.hidden || now - last[direction] < SHORTEST) return;
      // A window that is covered plays nothing, yet is not hidden.
      if (dots.childElementCount > MOST) return;
      last[direction] = now;
      const { wires, tabs } = current.current;
      const wire = wires[connection] ?? wires[0] ?? '';
      const [mine] = tabs;
      if (direction === 'out') {
        if (mine) await pulses.run(mine.path, 'along', 'out');
        pulses.run(wire, 'along', 'out');
        return;
      }
      await pulses.run(wire, 'back', 'in');
      current.current.tabs.forEach(async ({ path }, index) => {
        const member = members.current[index];
        if (symbol && member && !member.symbols.includes(symbol)) return;
        await pulses.run(path, 'back', 'in');
        pulses.flash(glyphs.current?.children[index]?.querySelector('.lit'));
      });
    });
  }, [layer, glyphs]);
}

function useSize(element: React.RefObject<HTMLElement | null>) {
  const [size, setSize] = useState<[width: number, height: number]>([560, 240]);
  useEffect(() => {
    if (!element.current) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setSize([Math.round(entry.contentRect.width), Math.round(entry.contentRect.height)]);
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** Time between two dots on the same way, in ms. */
const SHORTEST = 110;
/** The most dots at one time. */
const MOST = 150;
