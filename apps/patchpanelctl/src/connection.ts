import { ExitCode, Refused } from '@pp/daemon';
import type { Bus } from '@pp/dbus';
import type { Native } from '@pp/native';
import { encode } from '@pp/proto';
import type { ConnectRequest } from './connect-args';
import { connectedFromProto, type Connected } from './connected';
import { meaningOf } from './failure';

const SERVICE = 'org.chromium.PatchPanel';
const NEW_NAMESPACE = -1;

/** A connected namespace. It lasts as long as any process has `lifeline` open. */
export interface Connection {
  readonly facts: Connected;
  readonly lifeline: number;
  /** The manager let go of the namespace: it ended, or it tore it down. */
  readonly lost: Promise<void>;
  close(): void;
}

/** Asks the manager. It gets the write end of a pipe, we keep the read end: each sees when the other's is gone. */
export async function openConnection(
  bus: Pick<Bus, 'call'>,
  native: Pick<Native, 'pipe' | 'closeFd' | 'watchFd'>,
  request: ConnectRequest,
): Promise<Connection> {
  const [lifeline, theirs] = native.pipe();
  try {
    const facts = await call(bus, request, theirs);
    return held(native, lifeline, facts);
  } catch (fault) {
    native.closeFd(lifeline);
    throw meaningOf(fault);
  } finally {
    native.closeFd(theirs);
  }
}

async function call(bus: Pick<Bus, 'call'>, request: ConnectRequest, fd: number): Promise<Connected> {
  const bytes = encode('ConnectNamespaceRequest', {
    pid: request.pid ?? NEW_NAMESPACE,
    outboundPhysicalDevice: request.outbound,
    allowUserTraffic: request.allowUserTraffic,
    routeOnVpn: request.routeOnVpn,
    trafficSource: request.source,
  });
  const { body, signature } = await bus.call({
    destination: SERVICE,
    path: '/org/chromium/PatchPanel',
    interface: SERVICE,
    member: 'ConnectNamespace',
    signature: 'ayh',
    body: [bytes, 0],
    fds: [fd],
  });
  const [response] = body;
  if (signature !== 'ay' || !(response instanceof Uint8Array))
    throw new Refused(ExitCode.failed, `the manager answered with the types '${signature}' instead of 'ay'`);
  const connected = connectedFromProto(response);
  if (!connected.ok)
    throw new Refused(ExitCode.failed, connected.sentence, { advice: "look at the manager's log" });
  return connected.value;
}

function held(native: Pick<Native, 'closeFd' | 'watchFd'>, lifeline: number, facts: Connected): Connection {
  let close = (): void => undefined;
  const lost = new Promise<void>((resolve) => {
    // Nobody writes to it: whatever happens on it is the end.
    const watch = native.watchFd(lifeline, () => {
      watch.close();
      resolve();
    });
    close = () => {
      watch.close();
      native.closeFd(lifeline);
    };
  });
  return { facts, lifeline, lost, close };
}
