import { memo } from 'react';

/** How much arrived lately. */
export const Sparkline = memo(function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(4, ...values);
  const step = WIDTH / (values.length - 1);
  const points = values.map(
    (value, index) => `${(index * step).toFixed(1)},${(HEIGHT - (value / most) * HEIGHT).toFixed(1)}`,
  );
  return (
    <svg
      className="sparkline"
      viewBox={`-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <polygon points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
      <polyline points={points.join(' ')} />
    </svg>
  );
});

const WIDTH = 120;
const HEIGHT = 24;
