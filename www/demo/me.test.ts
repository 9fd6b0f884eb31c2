import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hueOf } from './me.js';

/** The lightness of the names of tabs in tokens.css, light first, and the darkest light and the lightest dark back that they stand on. */
const tokens = readFileSync('www/demo/styles/tokens.css', 'utf8');
const inks = [...tokens.matchAll(/--tab-ink: (\d+)%/g)].map(([, ink]) => Number(ink));
const backs = [...tokens.matchAll(/--(?:back|card): #(\w{6})/g)].map(([, hex = '']) =>
  [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255),
);

const rgbOf = (hue: number, saturation: number, lightness: number) =>
  [0, 8, 4].map((n) => {
    const k = (n + hue / 30) % 12;
    return lightness - saturation * Math.min(lightness, 1 - lightness) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  });

const luminanceOf = (rgb: number[]) => {
  const [red = 0, green = 0, blue = 0] = rgb.map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

test('the name of a tab can be read whatever its hue, on a card and on its own tint of the page', () => {
  const hues = Array.from({ length: 65_536 }, (_, tab) => hueOf(tab.toString(16)));
  for (const [scheme, ink] of inks.entries()) {
    const [back = [], card = []] = backs.slice(scheme * 2);
    for (const hue of new Set(hues)) {
      const name = rgbOf(hue, 0.6, ink / 100);
      const tint = back.map((part, index) => part * 0.92 + (name[index] ?? 0) * 0.08);
      for (const under of [card, tint]) {
        const [low = 0, high = 0] = [luminanceOf(name), luminanceOf(under)].sort((one, other) => one - other);
        expect((high + 0.05) / (low + 0.05), `hue ${hue} at ${ink} %`).toBeGreaterThanOrEqual(4.5);
      }
    }
  }
  expect(inks).toHaveLength(2);
});
