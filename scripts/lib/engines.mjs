import { join } from 'node:path';
import { findProgram, inEachFolder } from './find.mjs';
import { cargoBin } from './paths.mjs';

/** The engines that the suites run in, in this order. */
export const engineNames = /** @type {const} */ (['chromium', 'firefox', 'webkit']);

/**
 * @typedef {typeof engineNames[number]} EngineName
 * @typedef {{ browser: string, driver: string, display?: string }} Engine paths of programs; `display` is the X server that it needs
 * @typedef {{ what: string, get: string }} MissingPiece
 */

/**
 * Finds one engine's programs: environment first (CHROMIUM, CHROMEDRIVER, FIREFOX, GECKODRIVER, WEBKITBROWSER, WEBKITDRIVER), then PATH, then well-known places.
 * @param {EngineName} name
 * @returns {{ engine?: Engine, missing: MissingPiece[] }}
 */
export function findEngine(name) {
  const pieces = places[name]();
  const found = Object.entries(pieces).map(([part, piece]) => [part, findProgram(piece.candidates)]);
  const missing = Object.values(pieces).filter((_, index) => !found[index]?.[1]);
  return missing.length > 0 ? { missing } : { engine: Object.fromEntries(found), missing };
}

/** @type {Record<EngineName, () => Record<string, MissingPiece & { candidates: (string | undefined)[] }>>} */
const places = {
  chromium: () => ({
    browser: {
      what: 'Chromium',
      get: 'install Chromium or Chrome, or set CHROMIUM to its path',
      candidates: [
        process.env.CHROMIUM,
        'chromium',
        'chromium-browser',
        'google-chrome',
        'google-chrome-stable',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      ],
    },
    driver: {
      what: 'ChromeDriver',
      get: "install your browser's chromedriver (Debian: chromium-driver), or set CHROMEDRIVER to its path",
      candidates: [
        process.env.CHROMEDRIVER,
        process.env.CHROMEWEBDRIVER && join(process.env.CHROMEWEBDRIVER, 'chromedriver'),
        'chromedriver',
        '/usr/lib/chromium-browser/chromedriver',
      ],
    },
  }),
  firefox: () => ({
    browser: {
      what: 'Firefox',
      get: 'install Firefox, or set FIREFOX to its path',
      candidates: [process.env.FIREFOX, 'firefox-esr', 'firefox', '/Applications/Firefox.app/Contents/MacOS/firefox'],
    },
    driver: {
      what: 'geckodriver',
      get: '`npm run setup` builds it with cargo, or set GECKODRIVER to its path',
      candidates: [process.env.GECKODRIVER, join(cargoBin, 'geckodriver'), 'geckodriver'],
    },
  }),
  webkit: () => ({
    browser: {
      what: "WebKitGTK's MiniBrowser",
      get: 'install WebKitGTK (Debian: webkit2gtk-driver), or set WEBKITBROWSER to its path',
      candidates: [
        process.env.WEBKITBROWSER,
        ...['webkit2gtk-4.1', 'webkit2gtk-4.0', 'webkitgtk-6.0'].flatMap((version) => [
          ...inEachFolder('/usr/lib', `${version}/MiniBrowser`),
          `/usr/libexec/${version}/MiniBrowser`,
          `/usr/lib/${version}/MiniBrowser`,
        ]),
      ],
    },
    driver: {
      what: 'WebKitWebDriver',
      get: 'install it (Debian: webkit2gtk-driver), or set WEBKITDRIVER to its path',
      candidates: [process.env.WEBKITDRIVER, 'WebKitWebDriver'],
    },
    display: {
      what: 'Xvfb',
      get: 'install it (Debian: xvfb)',
      candidates: ['Xvfb'],
    },
  }),
};
