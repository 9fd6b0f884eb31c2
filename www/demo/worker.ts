/** The package's worker, which this page can end: as a crash does, without a word to anybody. */
import 'tabwire/worker';
import { deathChannel } from './death.js';

new BroadcastChannel(deathChannel).onmessage = () => self.close();
