import { accept, type Checked } from '@pp/base';
import { decodeStrict, encode, type MessageName } from '@pp/proto';
import type { ProcessNetns } from '@pp/ports';
import { answering } from '../domain/decision';
import { ARC_KEY, type Arc, type Vm } from '../domain/guest';
import { prepared } from '../prepared';
import type { Reconciler } from '../reconciler';
import { startArc } from '../usecases/start-arc';
import { startVm } from '../usecases/start-vm';
import { stopArc } from '../usecases/stop-arc';
import { stopVm } from '../usecases/stop-vm';
import type { ApiMethod, Caller } from './api';
import {
  arcStartFromProto,
  arcVmFromProto,
  pluginStartFromProto,
  pluginStopFromProto,
  terminaStartFromProto,
  terminaStopFromProto,
  type VmBody,
} from './from-proto';
import { openClientNetns } from './client-netns';
import type { SomeApiMethods } from './service';
import { arcVmStartToProto, pluginStartToProto, terminaStartToProto } from './to-proto';

export interface GuestMethodParts {
  readonly reconciler: Reconciler;
  readonly processNetns: ProcessNetns;
  readonly randomBytes: (n: number) => Uint8Array;
  readonly ownPid: number;
  /** uid that TAPs belong to; null: the caller's. */
  readonly tapOwner: number | null;
  /** Runs a task while the kernel is waited for. */
  readonly defer: (task: () => void) => void;
}

/** The methods for VMs and ARC (spec 1.2, 4). */
type GuestMethod =
  | 'TerminaVmStartup'
  | 'TerminaVmShutdown'
  | 'PluginVmStartup'
  | 'PluginVmShutdown'
  | 'ArcVmStartup'
  | 'ArcVmShutdown'
  | 'ArcStartup'
  | 'ArcShutdown';

export function guestMethods(parts: GuestMethodParts): SomeApiMethods<GuestMethod> {
  return {
    TerminaVmStartup: vmStart(parts, terminaStartFromProto, terminaStartToProto),
    TerminaVmShutdown: vmStop(parts, 'termina', terminaStopFromProto, 'TerminaVmShutdownResponse'),
    PluginVmStartup: vmStart(parts, pluginStartFromProto, pluginStartToProto),
    PluginVmShutdown: vmStop(parts, 'plugin', pluginStopFromProto, 'PluginVmShutdownResponse'),
    ArcVmStartup: arcVmStart(parts),
    ArcVmShutdown: arcVmStop(parts),
    ArcStartup: arcStart(parts),
    ArcShutdown: arcStop(parts),
  };
}

function vmStart(
  { reconciler, randomBytes, tapOwner, defer }: GuestMethodParts,
  read: (bytes: Uint8Array) => Checked<VmBody>,
  write: (vm: Vm) => Uint8Array,
): ApiMethod {
  return async ({ body, caller }) => {
    const request = read(body);
    if (!request.ok) return request;
    if (!caller.ok) return caller;
    const { uid } = caller.value;
    const start = { ...request.value, tapOwner: tapOwner ?? uid, owner: uid };
    const reply = await reconciler.submit('vm.start', (world) =>
      answering(startVm(world, start, randomBytes), (vm) => prepared(() => write(vm), defer)),
    );
    return reply.ok ? accept(reply.value()) : reply;
  };
}

function vmStop(
  { reconciler }: GuestMethodParts,
  kind: Vm['kind'],
  read: (bytes: Uint8Array) => Checked<string>,
  reply: MessageName,
): ApiMethod {
  return async ({ body }) => {
    const id = read(body);
    if (!id.ok) return id;
    const stopped = await reconciler.submit('vm.stop', (world) => stopVm(world, kind, id.value));
    return stopped.ok ? accept(encode(reply, {})) : stopped;
  };
}

const arcVmStart =
  (parts: GuestMethodParts): ApiMethod =>
  async (call) => {
    const cid = arcVmFromProto('ArcVmStartupRequest', call.body);
    if (!cid.ok) return cid;
    if (!call.caller.ok) return call.caller;
    const arc = await startAnew(parts, call.caller.value, { container: null, id: cid.value });
    return arc.ok ? accept(arcVmStartToProto(arc.value)) : arc;
  };

const arcVmStop =
  ({ reconciler }: GuestMethodParts): ApiMethod =>
  async ({ body }) => {
    const cid = arcVmFromProto('ArcVmShutdownRequest', body);
    if (!cid.ok) return cid;
    const stopped = await reconciler.submit('arc.stop', (world) => stopArc(world, 'vm', cid.value));
    return stopped.ok ? accept(encode('ArcVmShutdownResponse', {})) : stopped;
  };

/** The container's namespace is held open until the kernel followed, so that nothing can take its place. */
const arcStart =
  (parts: GuestMethodParts): ApiMethod =>
  async (call) => {
    const pid = arcStartFromProto(call.body, parts.ownPid);
    if (!pid.ok) return pid;
    if (!call.caller.ok) return call.caller;
    const netns = openClientNetns(parts.processNetns, pid.value, call.caller.value);
    if (!netns.ok) return netns;
    try {
      const { inode, startTime } = netns.value;
      const arc = await startAnew(parts, call.caller.value, {
        container: { inode, startTime },
        id: pid.value,
      });
      return arc.ok ? accept(encode('ArcStartupResponse', {})) : arc;
    } finally {
      netns.value.close();
    }
  };

const arcStop =
  ({ reconciler }: GuestMethodParts): ApiMethod =>
  async ({ body }) => {
    const decoded = decodeStrict('ArcShutdownRequest', body);
    if (!decoded.ok) return decoded;
    const stopped = await reconciler.submit('arc.stop', (world) =>
      stopArc(world, 'container', decoded.value.pid),
    );
    return stopped.ok ? accept(encode('ArcShutdownResponse', {})) : stopped;
  };

/** An ARC that runs is stopped first (spec 4.1), also one that another caller has started in between. */
async function startAnew(
  { reconciler, randomBytes, tapOwner }: GuestMethodParts,
  { uid }: Caller,
  which: Pick<Arc, 'container' | 'id'>,
): Promise<Checked<Arc>> {
  const start = { ...which, tapOwner: tapOwner ?? uid, owner: uid };
  for (;;) {
    await stopRunning(reconciler);
    const arc = await reconciler.submit('arc.start', (world) => startArc(world, start, randomBytes));
    const isOutrun = !arc.ok && arc.reason === 'AlreadyExists' && reconciler.world.guests.has(ARC_KEY);
    if (!isOutrun) return arc;
  }
}

async function stopRunning(reconciler: Reconciler): Promise<void> {
  const running = reconciler.world.guests.get(ARC_KEY);
  if (running?.kind !== 'arc') return;
  const flavour = running.container === null ? 'vm' : 'container';
  await reconciler.submit('arc.stop', (world) => stopArc(world, flavour, running.id));
}
