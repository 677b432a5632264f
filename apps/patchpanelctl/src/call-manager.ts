/** One call of the manager's API, for the commands that do nothing else. */
import type { Checked } from '@pp/base';
import type { Bus } from '@pp/dbus';
import { decodeStrict, type MessageName, type Messages } from '@pp/proto';
import { meaningOf, noBus, otherWords } from './failure';

export interface BusDoor {
  readonly connectBus: () => Promise<Pick<Bus, 'call' | 'close'>>;
}

export const SERVICE = 'org.chromium.PatchPanel';
export const PATH = '/org/chromium/PatchPanel';

/** Gives `use` a connection, and closes it after. */
export async function withBus<T, B extends Pick<Bus, 'close'>>(
  connectBus: () => Promise<B>,
  use: (bus: B) => Promise<T>,
): Promise<T> {
  const bus = await connectBus().catch((fault: unknown) => {
    throw noBus(fault);
  });
  try {
    return await use(bus);
  } finally {
    bus.close();
  }
}

/** Calls a method. Throws Refused for what people can act on. */
export async function callManager<M extends MessageName>(
  bus: Pick<Bus, 'call'>,
  member: string,
  request: Uint8Array,
  reply: M,
): Promise<Messages[M]> {
  try {
    const target = { destination: SERVICE, path: PATH, interface: SERVICE, member };
    const { body } = await bus.call({ ...target, signature: 'ay', body: [request] });
    return understood(decodeStrict(reply, body[0] instanceof Uint8Array ? body[0] : Uint8Array.of(0)));
  } catch (fault) {
    throw meaningOf(fault);
  }
}

function understood<T>(decoded: Checked<T>): T {
  if (decoded.ok) return decoded.value;
  throw otherWords(`the manager's answer is not understood: ${decoded.sentence}`);
}
