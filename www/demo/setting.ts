import { createStore, type Writable } from './store.js';

/** Whether the pipeline's reports are wanted: one answer for all tabs, where storage is allowed. */
export const createSetting = (key: string): Writable<boolean> => {
  const read = () => {
    try {
      return localStorage.getItem(key) === 'on';
    } catch {
      return false;
    }
  };
  const store = createStore(read());
  addEventListener('storage', () => store.set(read()));
  return {
    ...store,
    set(wanted) {
      store.set(wanted);
      try {
        localStorage.setItem(key, wanted ? 'on' : 'off');
      } catch {
        // Where storage is blocked, the wish is this tab's alone.
      }
    },
  };
};

export const wantsPipeline = createSetting('tabwire-demo:pipeline');
