/** A worker with a subprotocol in code: the dialect `pubsub` of the server, spoken by hand. */
import { registerSubprotocol } from '/dist/worker.js';

registerSubprotocol('listen', ({ send, receive }) => {
  const say = (type, nonce, topics) => send(JSON.stringify({ type, nonce: `${nonce}`, data: { topics } }));
  return {
    encode(frame) {
      const { type, id, topics } = JSON.parse(frame);
      if (type === 'subscribe') say('LISTEN', id, topics);
      if (type === 'unsubscribe') say('UNLISTEN', 0, topics);
      if (type === 'request') receive(JSON.stringify({ type: 'answer', id, data: 'here' }));
    },
    decode(frame) {
      const { type, nonce, error, data } = JSON.parse(frame);
      if (type === 'RESPONSE') receive(JSON.stringify({ type: 'answer', id: Number(nonce), error }));
      if (type === 'MESSAGE')
        receive(JSON.stringify({ type: 'message', topic: data.topic, data: JSON.parse(data.message) }));
    },
  };
});
