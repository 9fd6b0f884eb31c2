import { journal } from './journal.js';
import { control } from './server.js';

/** Gives the server an order, and writes it down. */
export const order = async (what: string, ...args: Parameters<typeof control>) => {
  journal.add('order', 'neutral', what);
  try {
    await control(...args);
  } catch (error) {
    journal.add('order', 'bad', String(error));
  }
};
