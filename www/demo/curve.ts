/** The points of a curve in a box, as SVG takes them: the lowest value, or `floor`, at the bottom, and the highest at the top. */
export const curve = (values: readonly number[], width: number, height: number, floor?: number, least = 0) => {
  const low = floor ?? Math.min(...values);
  const span = Math.max(least, Math.max(...values) - low) || 1;
  const step = width / Math.max(1, values.length - 1);
  return values
    .map((value, index) => `${(index * step).toFixed(1)},${(height - ((value - low) / span) * height).toFixed(1)}`)
    .join(' ');
};
