import { accept, refuse, type Checked } from '@pp/base';
import { BYPASS_VPN, ROUTE_ON_VPN, VPN_INTENT_MASK } from '@pp/datapath';
import type { ClientSockets, Descriptors } from '@pp/ports';
import { decodeStrict, encode } from '@pp/proto';
import type { Reconciler } from '../reconciler';
import { setVpnLockdown } from '../usecases/set-vpn-lockdown';
import type { ApiMethod } from './api';
import type { SomeApiMethods } from './service';

export interface VpnMethodParts {
  readonly reconciler: Pick<Reconciler, 'submit'>;
  readonly descriptors: Pick<Descriptors, 'close'>;
  readonly sockets: ClientSockets;
}

/** SetVpnIntent and SetVpnLockdown (spec 1.2, 3.2, 3.8). */
export const vpnMethods = (parts: VpnMethodParts): SomeApiMethods<'SetVpnIntent' | 'SetVpnLockdown'> => ({
  SetVpnIntent: setIntent(parts),
  SetVpnLockdown: setLockdown(parts),
});

/** Bits of the mark by VpnRoutingPolicy: DEFAULT_ROUTING, ROUTE_ON_VPN, BYPASS_VPN. */
const INTENTS = [0, ROUTE_ON_VPN, BYPASS_VPN];

/** The descriptor is consumed, whatever the answer. */
const setIntent =
  ({ descriptors, sockets }: VpnMethodParts): ApiMethod =>
  (call) => {
    const intent = intentFromProto(call.body);
    if (!intent.ok) return Promise.resolve(intent);
    const fd = call.takeFd();
    if (fd === null)
      return Promise.resolve(
        refuse('InvalidArgument', 'the socket is missing: pass a TCP or UDP socket after the body'),
      );
    try {
      const marked = sockets.mark(fd, VPN_INTENT_MASK, intent.value);
      return Promise.resolve(marked.ok ? accept(encode('SetVpnIntentResponse', { success: true })) : marked);
    } finally {
      descriptors.close(fd);
    }
  };

function intentFromProto(bytes: Uint8Array): Checked<number> {
  const decoded = decodeStrict('SetVpnIntentRequest', bytes);
  if (!decoded.ok) return decoded;
  const bits = INTENTS[decoded.value.policy];
  if (bits !== undefined) return accept(bits);
  return refuse(
    'InvalidArgument',
    `policy ${decoded.value.policy} is unknown: use 0 (default), 1 (route on VPN) or 2 (bypass VPN)`,
  );
}

const setLockdown =
  ({ reconciler }: VpnMethodParts): ApiMethod =>
  async ({ body }) => {
    const request = decodeStrict('SetVpnLockdownRequest', body);
    if (!request.ok) return request;
    const { enableVpnLockdown } = request.value;
    const set = await reconciler.submit('vpn.lockdown', (world) => setVpnLockdown(world, enableVpnLockdown));
    return set.ok ? accept(encode('SetVpnLockdownResponse', {})) : set;
  };
