import { type Engine, type EngineName, engineNames, findEngine } from '../../../scripts/lib/engines.mjs';

export type { EngineName };

/** The engines that this run is for: those named in TABWIRE_ENGINES (with commas; all by default) whose programs are installed. */
export const engines: readonly EngineName[] = wanted().filter((name) => findEngine(name).engine);

/** The paths of an engine's browser and driver; throws what is missing when it is not installed. */
export function programsOf(name: EngineName): Engine {
  const { engine, missing } = findEngine(name);
  if (!engine)
    throw new Error(`${name} cannot run: ${missing.map(({ what, get }) => `${what} is missing: ${get}`).join('; ')}`);
  return engine;
}

function wanted(): EngineName[] {
  const names = process.env.TABWIRE_ENGINES?.split(',') ?? engineNames;
  return engineNames.filter((name) => names.includes(name));
}
