import { choiceOf, hashOf } from './choice.js';

/** Opens this page in further tabs, which want one thing after the other. Returns how many the browser blocked. */
export const openTabs = (count: number, present: number, symbols: readonly string[]) => {
  let blocked = 0;
  for (let index = 0; index < count; index++) {
    const tab = window.open(hashOf(choiceOf(present + index, symbols)));
    if (tab) tab.opener = null;
    else blocked++;
  }
  return blocked;
};
