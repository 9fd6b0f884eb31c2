/** Sets globals. Returns what puts back those that were there before. */
export const setGlobals = (values: Record<string, unknown>): (() => void) => {
  const before = Object.keys(values).map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else delete (globalThis as Record<string, unknown>)[name];
    }
  };
};

/** What a page has and plain Node has not: as much of it as sockets need, always visible and online. */
export const missingOfPage = (): Record<string, unknown> => {
  if (globalThis.document) return {};
  const href = 'http://localhost/';
  return {
    document: { baseURI: href, hidden: false, hasFocus: () => true },
    location: new URL(href),
    navigator: { onLine: true, userAgent: '', vendor: '' },
    self: globalThis,
    // Nothing happens to such a page.
    addEventListener() {},
    removeEventListener() {},
    CloseEvent: globalThis.CloseEvent ?? NodeCloseEvent,
  };
};

/** As `CloseEvent`, which Node has from 23 on. */
class NodeCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  constructor(type: string, { code = 0, reason = '', wasClean = false }: CloseEventInit = {}) {
    super(type);
    this.code = code;
    this.reason = reason;
    this.wasClean = wasClean;
  }
}
