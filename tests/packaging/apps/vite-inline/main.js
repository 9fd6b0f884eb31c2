import workerUrl from 'tabwire/worker.inline.js?url';
import { show } from './page.js';

show({ workerUrl });
