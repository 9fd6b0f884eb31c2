/** Draws messages as dots on their way. */
export interface Pulses {
  /** Sends a dot along a path, or back along it. Resolves when it has arrived. */
  run(path: string, direction: 'along' | 'back', kind: 'in' | 'out'): Promise<unknown>;
  /** Lets an element light up. */
  flash(element: Element | null | undefined): void;
}

/** Draws into a layer whose units are pixels; nothing for those who want no motion. */
export const createPulses = (layer: SVGElement): Pulses => {
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  return {
    async run(path, direction, kind) {
      if (calm.matches) return;
      const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
      dot.setAttribute('r', '4');
      dot.setAttribute('class', `dot ${kind}`);
      dot.style.setProperty('offset-path', `path("${path}")`);
      layer.append(dot);
      const ends = [{ offsetDistance: '0%' }, { offsetDistance: '100%' }];
      const way = dot.animate(direction === 'along' ? ends : ends.reverse(), { duration: 520, easing: 'ease-in-out' });
      await way.finished.finally(() => dot.remove());
    },
    flash(element) {
      if (calm.matches) return;
      element?.animate([{ fillOpacity: 0.6 }, { fillOpacity: 0 }], { duration: 450, easing: 'ease-out' });
    },
  };
};
