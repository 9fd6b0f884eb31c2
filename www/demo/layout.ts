/** Where everything of the diagram is, in pixels. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly tab: { readonly width: number; readonly height: number };
  /** The tabs that are drawn: middle of the left side, and the way to the hub. */
  readonly tabs: readonly { readonly x: number; readonly y: number; readonly path: string }[];
  /** How many tabs are not drawn. */
  readonly hidden: number;
  readonly hub: { readonly x: number; readonly y: number; readonly r: number };
  readonly server: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  /** The way from the hub to the server, for each connection. */
  readonly wires: readonly string[];
  /** Middle of the free part of the wires. */
  readonly middle: { readonly x: number; readonly y: number };
}

/** Lays the diagram out for a box of this size. */
export const layOut = (width: number, height: number, tabs: number, connections: number): Layout => {
  const isNarrow = width < 480;
  const drawn = Math.min(tabs, MOST);
  const step = Math.min(36, (height - 8) / drawn);
  const tab = { width: isNarrow ? 34 : 44, height: Math.min(isNarrow ? 18 : 22, step * 0.74) };
  const hub = { x: width * (isNarrow ? 0.42 : 0.49), y: height / 2 - 6, r: isNarrow ? 30 : 38 };
  const server = { width: isNarrow ? 46 : 58, height: isNarrow ? 66 : 82, x: 0, y: hub.y };
  server.x = width - server.width - 4;

  const first = hub.y - (step * (drawn - 1)) / 2;
  const edge = tab.width + 4;
  const bend = (hub.x - hub.r - edge) * 0.5;

  const from = hub.x + hub.r;
  const span = server.x - from;
  const lines = Math.min(Math.max(connections, 1), 5);
  const wires = Array.from({ length: lines }, (_, index) => {
    const dy = (index - (lines - 1) / 2) * 22;
    const bent = `C${from + span / 3} ${hub.y + dy} ${server.x - span / 3} ${hub.y + dy}`;
    return `M${from} ${hub.y + dy / 4}${bent} ${server.x} ${hub.y + dy / 2}`;
  });

  return {
    width,
    height,
    tab,
    tabs: Array.from({ length: drawn }, (_, index) => {
      const y = first + step * index;
      const bent = `C${edge + bend} ${y} ${hub.x - hub.r - bend} ${hub.y}`;
      return { x: 4, y, path: `M${edge} ${y}${bent} ${hub.x - hub.r} ${hub.y}` };
    }),
    hidden: tabs - drawn,
    hub,
    server,
    wires,
    middle: { x: from + span / 2, y: hub.y },
  };
};

/** The most tabs that are drawn. */
const MOST = 12;
