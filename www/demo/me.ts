/** What this tab is called in messages. */
export const me = Array.from(crypto.getRandomValues(new Uint8Array(2)), (byte) =>
  byte.toString(16).padStart(2, '0'),
).join('');

/** The hue by which a tab is known: anything from green over blue to purple, for red means trouble. */
export const hueOf = (tab: string) => 150 + ((Number.parseInt(tab, 16) * 137) % 180 || 0);
