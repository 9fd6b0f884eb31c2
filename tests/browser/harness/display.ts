import { startXvfb } from '../../../scripts/lib/xvfb.mjs';
import { engines, programsOf } from './engines.js';

/** Vitest's global set-up: WebKit has no headless mode, so one X server serves the whole run; workers inherit DISPLAY. */
export default async function setup(): Promise<(() => void) | undefined> {
  if (!engines.includes('webkit')) return undefined;
  const { display, stop } = await startXvfb(programsOf('webkit').display ?? 'Xvfb');
  process.env.DISPLAY = display;
  return stop;
}
