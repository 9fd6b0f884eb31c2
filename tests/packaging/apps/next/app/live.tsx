'use client';

import { useEffect, useState } from 'react';
import { type HookOptions, useMessages, useSharedWebSocket } from 'tabwire/react';

/** What the test reads. */
const texts: unknown[] = [];

export function Live() {
  const [connection, setConnection] = useState<HookOptions | null>(null);
  useEffect(() => {
    Object.assign(window, { texts });
    const asked = new URLSearchParams(location.search);
    const use = (asked.get('use') ?? 'auto') as 'auto' | 'leader-tab';
    setConnection({ url: asked.get('socket') ?? '', userId: '', host: { use } });
  }, []);
  const { status } = useSharedWebSocket(connection);
  useMessages(({ data }) => texts.push(data), connection);
  return <output>{`${status.state} in ${status.host}`}</output>;
}
