/** Opens this page in further tabs. Returns how many the browser blocked. */
export const openTabs = (count: number) => {
  let blocked = 0;
  for (let index = 0; index < count; index++) {
    const tab = window.open(location.href);
    if (tab) tab.opener = null;
    else blocked++;
  }
  return blocked;
};
