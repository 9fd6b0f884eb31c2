import type { SubscriptionOptions, TopicMessage } from '../client/index.js';
import { useConnection } from './provider.js';
import type { UserIdOrOptions } from './settings.js';
import { useNewest, useView } from './use-view.js';

/**
 * Options of {@link useTopic}. Those of the subscription count when it begins: at the mount, and when the topic or the connection
 * is another.
 */
export interface TopicOptions<Value, Data = Value> extends SubscriptionOptions {
  /** The value until the first message: that of the first render with this topic and connection. Default: undefined. */
  initial?: Value;
  /**
   * Makes the next value of the last one, the data of a message and the message. It is called once for each message, the function
   * of the newest render; what it throws is reported as an uncaught error, and the value stays. Default: the data is the value.
   */
  reduce?: (value: Value, data: Data, message: TopicMessage<Data>) => Value;
}

/**
 * Subscribes to a topic from the component's mount to its unmount, and returns the data of the newest message, or what `reduce` has
 * made of all: `initial` on a server, before the first message and with `userId` null. It begins with `initial` again when the topic
 * or the connection is another, and when the component is mounted again. The component renders again when the value is another one
 * (`Object.is`).
 *
 * The server is asked once for all components and tabs, and by a mount that follows an unmount within `linger` not again; the last
 * message is there at once if the hub has it, and with `replay` more of them.
 *
 * `userIdOrOptions` chooses the connection, as `useSharedWebSocket` does. Its subprotocol must not be `raw`: else an
 * `UnsupportedError` reaches the nearest error boundary. What the server refuses is told to `onerror`, and if there is none
 * reported as an uncaught error.
 */
export function useTopic<Value, Data>(
  topic: string,
  options: TopicOptions<Value, Data> & Required<Pick<TopicOptions<Value, Data>, 'initial' | 'reduce'>>,
  userIdOrOptions?: UserIdOrOptions,
): Value;
export function useTopic<Data>(
  topic: string,
  options: TopicOptions<Data> & { initial: Data },
  userIdOrOptions?: UserIdOrOptions,
): Data;
export function useTopic<Data = unknown>(
  topic: string,
  options?: TopicOptions<Data | undefined, Data>,
  userIdOrOptions?: UserIdOrOptions,
): Data | undefined;
export function useTopic<Value>(
  topic: string,
  options: TopicOptions<Value, Value> = {},
  userIdOrOptions?: UserIdOrOptions,
) {
  const { hold } = useConnection(userIdOrOptions);
  const newest = useNewest(options);
  return useView(() => {
    const idle = { value: options.initial as Value };
    let last = idle;
    return [
      (onChange) =>
        hold((socket) => {
          last = idle;
          const subscription = socket.subscribe<Value>(
            topic,
            (message) => {
              const { reduce } = newest.current;
              const { data } = message;
              last = { value: reduce ? reduce(last.value, data, message) : data };
              onChange();
            },
            newest.current,
          );
          return () => subscription.close();
        }),
      () => last,
      idle,
    ];
  }, [hold, topic]).value;
}
