import { show } from './page.js';

show({ workerUrl: '/tabwire-worker.js', wasmUrl: '/tabwire-hub.wasm' });
