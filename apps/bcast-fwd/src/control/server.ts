import { openControlSocket, type ControlClient, type ControlSocket, type UnixServing } from '@pp/daemon';
import type { Traced } from '../relay-service';
import { traceLine, traceRequest } from './trace';

/** Where frames can be watched. */
export interface TraceSource {
  tracer: ((traced: Traced) => void) | null;
}

/** Serves `bcast-fwd trace` to root. */
export function openControl(serving: UnixServing, path: string, source: TraceSource): ControlSocket {
  const watchers = new Map<ControlClient, number | null>(); // BOUNDED: by the socket's clients
  const tell = (traced: Traced): void => {
    for (const [client, address] of watchers) {
      const line = traceLine(traced, address);
      if (line !== null) client.tell(line);
    }
  };
  return openControlSocket(serving, path, (line, client) => {
    const asked = traceRequest(line);
    if (!asked.ok) {
      client.end(`error ${asked.sentence}`);
      return;
    }
    watchers.set(client, asked.value);
    source.tracer = tell;
    client.onGone(() => {
      watchers.delete(client);
      if (watchers.size === 0) source.tracer = null;
    });
  });
}
