import type { Engine } from '../../../scripts/lib/engines.mjs';
import { at } from '../../../scripts/lib/paths.mjs';
import type { EngineName } from './engines.js';

export interface BrowserOptions {
  /** Names that the browser resolves to an address, such as a non-secure origin's `{ 'insecure.test': '127.0.0.1' }`; Chromium and Firefox only. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Further command line arguments of the browser. */
  readonly args?: readonly string[];
  /** Whether something is done to its processes: Firefox then has one for each tab, and outlives the crash of a page. */
  readonly faults?: boolean;
  /** Firefox preferences beyond the harness's own; the other engines have none. */
  readonly prefs?: Readonly<Record<string, string | number | boolean>>;
}

/** The WebDriver capabilities that start an engine headless, with a fresh profile and no traffic of its own. */
export function capabilitiesOf(name: EngineName, engine: Engine, profile: string, options: BrowserOptions): object {
  return { ...builders[name](engine, profile, options), pageLoadStrategy: 'normal' };
}

const builders: Record<EngineName, (engine: Engine, profile: string, options: BrowserOptions) => object> = {
  chromium: ({ browser }, profile, { hosts = {}, args = [] }) => ({
    browserName: 'chrome',
    'goog:chromeOptions': {
      binary: browser,
      args: [...chromiumArgs, `--user-data-dir=${profile}`, ...hostRules(hosts), ...args],
    },
  }),
  firefox: ({ browser }, _profile, { hosts = {}, args = [], prefs = {}, faults }) => ({
    browserName: 'firefox',
    'moz:firefoxOptions': {
      binary: faults ? at('tests/browser/harness/firefox-that-outlives-its-pages.sh') : browser,
      args: ['-headless', ...args],
      prefs: { ...firefoxPrefs, ...(faults && manyProcesses), ...localDomains(hosts), ...prefs },
    },
  }),
  webkit: ({ browser }, _profile, { hosts = {}, args = [] }) => {
    if (Object.keys(hosts).length > 0) throw new Error('WebKitGTK cannot map host names: use Chromium or Firefox');
    return {
      browserName: 'MiniBrowser',
      'webkitgtk:browserOptions': { binary: browser, args: ['--automation', ...args] },
    };
  },
};

const chromiumArgs = [
  '--no-sandbox',
  '--headless=new',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--disable-quic',
];

/** Without these Firefox looks for updates, settings and favicons first, and is slow to quit. */
const firefoxPrefs = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.chrome.site_icons': false,
  'browser.newtabpage.enabled': false,
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.enabledScopes': 0,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'nimbus.rollouts.enabled': false,
  'toolkit.shutdown.fastShutdownStage': 3,
};

/** Every tab of a site has a process of its own, as in the other engines. */
const manyProcesses = { 'dom.ipc.processCount': 20, 'dom.ipc.processCount.webIsolated': 20 };

function hostRules(hosts: Readonly<Record<string, string>>): string[] {
  const rules = Object.entries(hosts).map(([host, address]) => `MAP ${host} ${address}`);
  return rules.length > 0 ? [`--host-resolver-rules=${rules.join(',')}`] : [];
}

function localDomains(hosts: Readonly<Record<string, string>>): Record<string, string> {
  const elsewhere = Object.values(hosts).find((address) => address !== '127.0.0.1');
  if (elsewhere) throw new Error(`Firefox can map a host name to 127.0.0.1 only, not to ${elsewhere}`);
  return { 'network.dns.localDomains': Object.keys(hosts).join(',') };
}
