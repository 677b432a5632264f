import { openControlSocket, type ControlClient, type ControlSocket, type UnixServing } from '@pp/daemon';
import { ipv6ToBytes } from '@pp/wire';
import type { GroupRegistry } from '../groups/registry';
import type { Traced } from '../group-runner';
import { requestFromLine, runGroupVerb, type Request } from './request';
import { traceLine } from './trace-line';

/** Where frames can be watched. */
export interface TraceSource {
  tracer: ((traced: Traced) => void) | null;
}

/** Serves `ndproxy trace` and `ndproxy group` to root. `registry` null: groups are the manager's. */
export function openControl(
  serving: UnixServing,
  path: string,
  source: TraceSource,
  registry: GroupRegistry | null,
): ControlSocket {
  const watchers = new Map<ControlClient, Uint8Array>(); // BOUNDED: by the socket's clients
  const tell = (traced: Traced): void => {
    for (const [client, address] of watchers) {
      const line = traceLine(traced, address);
      if (line !== null) client.tell(line);
    }
  };
  const watch = (client: ControlClient, address: Uint8Array): void => {
    watchers.set(client, address);
    source.tracer = tell;
    client.onGone(() => {
      watchers.delete(client);
      if (watchers.size === 0) source.tracer = null;
    });
  };
  return openControlSocket(serving, path, (line, client) => {
    const request = requestFromLine(line);
    if (!request.ok) client.end(`error ${request.sentence}`);
    else if (request.value.do === 'trace') watch(client, ipv6ToBytes(request.value.address));
    else client.end(groupAnswer(registry, request.value));
  });
}

const MANAGERS =
  'error groups follow the manager; start ndproxy with interface names or --portier to set them here';

function groupAnswer(
  registry: GroupRegistry | null,
  { verb, args }: Extract<Request, { do: 'group' }>,
): string {
  if (registry === null) return MANAGERS;
  const status = runGroupVerb(registry, verb, args);
  return status.isOk ? 'OK' : `error ${status.toString()}`;
}
