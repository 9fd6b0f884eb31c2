import { memo } from 'react';
import { curve } from './curve.js';

interface Props {
  values: readonly number[];
  /** What is at the bottom; the lowest value by default. */
  floor?: number;
  /** The least that the whole height stands for. */
  least?: number;
}

/** How something went lately. */
export const Sparkline = memo(function Sparkline({ values, floor, least }: Props) {
  const points = curve(values, WIDTH, HEIGHT, floor, least);
  return (
    <svg
      className="sparkline"
      viewBox={`-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {values.length > 1 && <polygon points={`0,${HEIGHT} ${points} ${WIDTH},${HEIGHT}`} />}
      <polyline points={points} />
    </svg>
  );
});

const WIDTH = 120;
const HEIGHT = 24;
