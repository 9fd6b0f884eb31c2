import type { Endpoint } from './endpoint.js';
import type { Host } from './host.js';

/**
 * Lets the hub of this dedicated worker be that of other pages too, which come by a BroadcastChannel each. `name` is what pages
 * that look for a leader listen to, `term` this one among those who lead one after the other.
 */
export const lead = (host: Host, name: string, term: string): void => {
  const control = new BroadcastChannel(name);
  const say = () => control.postMessage(['lead', term]);
  control.onmessage = ({ data }) => {
    const [what, of, id] = Array.isArray(data) ? data : [];
    if (what === 'who') say();
    if (what === 'join' && of === term) host.open(new BroadcastChannel(`${name}:${term}:${id}`) as Endpoint);
  };
  say();
};
