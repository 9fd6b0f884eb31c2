/** What the pages of tests/browser/pages have on their window. */
declare global {
  interface Window {
    /** The built package; on page.html only. */
    tabwire: typeof import('../../../www/client/index.js');
    /** Kept when the page is ready to be tested. */
    __ready?: Promise<unknown>;
  }
}

export {};
