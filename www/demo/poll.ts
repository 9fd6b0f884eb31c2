/** Does something every `period` ms while this tab is visible, each time once the time before has ended. */
export const poll = (period: number, act: () => Promise<void>) => {
  let timer: number | undefined;
  let isActing = false;
  const go = async () => {
    clearTimeout(timer);
    if (isActing) return;
    isActing = true;
    await act();
    isActing = false;
    if (!document.hidden) timer = window.setTimeout(go, period);
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) go();
  });
  go();
};
