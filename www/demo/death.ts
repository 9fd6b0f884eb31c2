/** Where the worker hears that it is to end. */
export const deathChannel = 'tabwire-demo:end';

/** Ends the worker that has the hub, wherever it is. */
export const killWorker = () => {
  const channel = new BroadcastChannel(deathChannel);
  channel.postMessage('end');
  channel.close();
};
