import { vi } from 'vitest';

/** Web Locks as the browsers have them, as far as a tab uses them. */
export class FakeLocks {
  readonly held = new Set<string>();
  /** Requests that wait, oldest first. */
  readonly waiting: { name: string; mode: string; grant: () => void }[] = [];
  /** Makes every request fail, as in an opaque origin. */
  isForbidden = false;

  async request(name: string, ...rest: [{ mode?: string }, (lock: object) => unknown] | [(lock: object) => unknown]) {
    const [options, granted] = rest.length === 2 ? rest : [{}, rest[0]];
    await null;
    if (this.isForbidden) throw new DOMException('opaque', 'SecurityError');
    if (this.held.has(name)) {
      await new Promise<void>((grant) => this.waiting.push({ name, mode: options.mode ?? 'exclusive', grant }));
    }
    this.held.add(name);
    await granted({ name });
    this.free(name);
  }

  /** Its holder is gone. */
  free(name: string) {
    this.held.delete(name);
    for (const { grant } of this.waiting.filter((request) => request.name === name)) grant();
  }
}

/** Gives the page locks, in a browser of this vendor. */
export const installLocks = (vendor = 'Google Inc.') => {
  const locks = new FakeLocks();
  vi.stubGlobal(
    'navigator',
    new Proxy(navigator, {
      get: (target, name) =>
        name === 'locks' ? locks : name === 'vendor' ? vendor : Reflect.get(target, name, target),
    }),
  );
  return locks;
};
