import { accept, type Checked } from '@pp/base';
import type { Descriptors, HeldNetns, ProcessNetns } from '@pp/ports';
import { answering } from '../domain/decision';
import type { Namespace } from '../domain/guest';
import type { Lifeline } from '../lifelines';
import { prepared } from '../prepared';
import type { Reconciler } from '../reconciler';
import { connectNamespace } from '../usecases/connect-namespace';
import type { ApiMethod, Caller } from './api';
import { openClientNetns } from './client-netns';
import { connectNamespaceFromProto, type ConnectNamespaceBody } from './from-proto';
import { takeLifeline } from './take-lifeline';
import { connectNamespaceToProto } from './to-proto';

export interface ConnectNamespaceParts {
  readonly reconciler: Reconciler;
  readonly descriptors: Descriptors;
  readonly processNetns: ProcessNetns;
  readonly randomBytes: (n: number) => Uint8Array;
  readonly ownPid: number;
  readonly watch: (fd: number) => Lifeline;
  /** Takes the lifeline of a namespace that was connected. */
  readonly hold: (guest: Namespace, lifeline: Lifeline) => void;
  /** Runs a task while the kernel is waited for. */
  readonly defer: (task: () => void) => void;
}

/**
 * Spec 11: parse, lifeline, pid, outbound device; then the kernel, and while it works the lifeline is watched and the reply written; then
 * the client is answered.
 */
export function connectNamespaceMethod(parts: ConnectNamespaceParts): ApiMethod {
  return async (call) => {
    const body = connectNamespaceFromProto(call.body, parts.ownPid);
    if (!body.ok) return body;
    const { caller } = call;
    if (!caller.ok) return caller;
    const lifeline = takeLifeline(call, parts.descriptors);
    if (!lifeline.ok) return lifeline;
    const watched = prepared(() => parts.watch(lifeline.value), parts.defer);
    const connected = await withClientNetns(parts, body.value, caller.value, (netns) =>
      connect(parts, body.value, caller.value, netns),
    );
    if (!connected.ok) {
      watched().close();
      return connected;
    }
    parts.hold(connected.value.guest, watched());
    return accept(connected.value.reply());
  };
}

/** Holds the namespace of the process open while `use` runs, so that nothing can take its place. */
async function withClientNetns<T>(
  { processNetns }: ConnectNamespaceParts,
  { pid }: ConnectNamespaceBody,
  caller: Caller,
  use: (netns: HeldNetns | null) => Promise<Checked<T>>,
): Promise<Checked<T>> {
  if (pid === null) return use(null);
  const held = openClientNetns(processNetns, pid, caller);
  if (!held.ok) return held;
  try {
    return await use(held.value);
  } finally {
    held.value.close();
  }
}

interface Connected {
  readonly guest: Namespace;
  readonly reply: () => Uint8Array;
}

/** Numbers whose names are in the way are passed over in steps that double, 255 at last: a killed manager may have left many in a row. */
const MAX_TRIES = 9;

/**
 * An interface or a named namespace of somebody else may have the next number: then one further on is tried. A namespace that is
 * connected already, or has a way out of its own, is refused each time, before anything is done.
 */
async function connect(
  { reconciler, randomBytes, defer }: ConnectNamespaceParts,
  { pid, outboundDevice, routeOnVpn, allowUserTraffic, source }: ConnectNamespaceBody,
  { uid: owner }: Caller,
  netns: HeldNetns | null,
): Promise<Checked<Connected>> {
  const client = pid === null || netns === null ? null : { pid, inode: netns.inode };
  const answer = (guest: Namespace): Connected => ({
    guest,
    reply: prepared(() => connectNamespaceToProto(guest), defer),
  });
  for (let tries = 1; ; tries++) {
    const passedOver = 2 ** (tries - 1) - 1;
    const hasDefaultRoute = passedOver > 0 && netns?.hasDefaultRoute === true;
    const request = {
      client,
      outboundDevice,
      routeOnVpn,
      allowUserTraffic,
      source,
      owner,
      passedOver,
      hasDefaultRoute,
    };
    const connected = await reconciler.submit('namespace.connect', (world) =>
      answering(connectNamespace(world, request, randomBytes), answer),
    );
    const isInTheWay = !connected.ok && connected.reason === 'AlreadyExists';
    if (!isInTheWay || tries === MAX_TRIES) return connected;
  }
}
