/** An error whose message is the one clear line that a person needs; it is shown without a stack. */
export class Stop extends Error {}

/** Prints a line at once, so that it stands before the output of a child started next. @param {string} line */
export function say(line) {
  process.stdout.write(`${line}\n`);
}

/** Runs a script's main function; the process ends non-zero with the error's line as its last. @param {() => Promise<void>} body */
export async function main(body) {
  try {
    await body();
  } catch (error) {
    process.stderr.write(`tabwire: ${textOf(error)}\n`);
    process.exitCode = 1;
  }
}

/** A duration for people: '0.4 s', '2 min 5 s'. @param {number} ms */
export function duration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** @param {unknown} error */
function textOf(error) {
  if (error instanceof Stop) return error.message;
  return error instanceof Error ? error.stack : String(error);
}
