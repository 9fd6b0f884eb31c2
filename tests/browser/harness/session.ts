import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Builder, Capabilities, type WebDriver } from 'selenium-webdriver';
import { type BrowserOptions, capabilitiesOf } from './capabilities.js';
import { startDriver } from './driver-process.js';
import { type EngineName, programsOf } from './engines.js';

/** A WebDriver session with the driver process and the folder that belong to it. */
export interface Session {
  readonly driver: WebDriver;
  /** The process from which all of the browser's descend. */
  readonly driverPid: number;
  /** Ends browser and driver, and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a driver and its browser; whatever they leave in the temporary folder is in one that goes with the session. */
export async function startSession(engine: EngineName, options: BrowserOptions): Promise<Session> {
  const programs = programsOf(engine);
  const folder = await mkdtemp(join(tmpdir(), 'tabwire-browser-'));
  const removeFolder = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  const server = await startDriver(programs.driver, {
    ...process.env,
    ...rootMayRunWebKit,
    TMPDIR: folder,
    TABWIRE_FIREFOX: programs.browser,
  });
  const agent = new Agent({ keepAlive: true });
  try {
    const driver = await new Builder()
      .usingServer(server.url)
      .usingHttpAgent(agent)
      .withCapabilities(new Capabilities(capabilitiesOf(engine, programs, join(folder, 'profile'), options)))
      .build();
    await driver.manage().setTimeouts({ script: patience, pageLoad: patience });
    return {
      driver,
      driverPid: server.pid,
      async stop() {
        // A browser that is gone cannot quit, and that is no reason to leave the rest.
        try {
          await driver.quit();
        } finally {
          await server.stop();
          agent.destroy();
          await removeFolder();
        }
      },
    };
  } catch (error) {
    await server.stop();
    await removeFolder();
    throw error;
  }
}

const rootMayRunWebKit = { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' };

/** How long a script or a page load may take, in milliseconds. */
const patience = 60_000;
