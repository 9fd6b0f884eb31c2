import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine } from '../lib/engines.mjs';
import { at } from '../lib/paths.mjs';
import { startXvfb } from '../lib/xvfb.mjs';
import { rustTests } from './counts.mjs';

/**
 * Runs the test targets whose names start with `wasm` in a real SharedWorker of each engine.
 * Native test files of the crate are compiled for wasm as well, so they switch themselves off there.
 * @param {import('../lib/engines.mjs').EngineName[]} engines
 */
export async function wasmTests(engines) {
  const count = { passed: 0, failed: 0 };
  for (const name of engines) {
    const { passed, failed } = await inEngine(name);
    count.passed += passed;
    count.failed += failed;
  }
  return count;
}

/** wasm-pack knows a WebDriver of WebKit as Safari's. */
const flags = {
  chromium: ['--chrome', '--chromedriver'],
  firefox: ['--firefox', '--geckodriver'],
  webkit: ['--safari', '--safaridriver'],
};

const capabilities = {
  chromium: 'goog:chromeOptions',
  firefox: 'moz:firefoxOptions',
  webkit: 'webkitgtk:browserOptions',
};

/** @param {import('../lib/engines.mjs').EngineName} name */
async function inEngine(name) {
  const { engine } = findEngine(name);
  if (!engine) throw new Error(`${name} is not installed`);
  const [browserFlag = '', driverFlag = ''] = flags[name];
  const xvfb = engine.display ? await startXvfb(engine.display) : undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tabwire-wasm-'));
  try {
    return await rustTests(
      'wasm-pack',
      [
        'test',
        '--headless',
        browserFlag,
        driverFlag,
        engine.driver,
        '--mode=no-install',
        '--',
        '--package=tabwire',
        '--test=wasm*',
      ],
      {
        TMPDIR: folder,
        WASM_BINDGEN_TEST_WEBDRIVER_JSON: webDriverFile(name, engine.browser),
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        ...(xvfb && { DISPLAY: xvfb.display }),
      },
    );
  } finally {
    xvfb?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The project's webdriver.json with the path of the browser that was found. @param {keyof typeof capabilities} name @param {string} browser */
function webDriverFile(name, browser) {
  const options = JSON.parse(readFileSync(at('webdriver.json'), 'utf8'));
  options[capabilities[name]].binary = browser;
  const file = at('target/webdriver.json');
  mkdirSync(at('target'), { recursive: true });
  writeFileSync(file, JSON.stringify(options));
  return file;
}
