import { DBusError, type Bus, type Handlers, type MethodHandler } from '@pp/dbus';
import type { GroupRegistry } from '../groups/registry';
import { callMethod } from './methods';
import { API, PATH, SERVICE, type PortierMethod } from './spec';

/**
 * Serves org.chromium.Portier: groups as `ndproxy group` has them, for root only, whatever the policy of the bus. Returns how to end it.
 */
export function servePortier(bus: Bus, registry: GroupRegistry, state: () => object): () => void {
  const handler =
    (name: PortierMethod): MethodHandler =>
    async (call) => {
      await requireRoot(bus, call.sender);
      return { body: [callMethod(registry, name, call.body[0] as Uint8Array)] };
    };
  const handlers: Handlers<typeof API> = {
    BindInterface: handler('BindInterface'),
    ReleaseInterface: handler('ReleaseInterface'),
    CreateProxyGroup: handler('CreateProxyGroup'),
    ReleaseProxyGroup: handler('ReleaseProxyGroup'),
    AddToGroup: handler('AddToGroup'),
    RemoveFromGroup: handler('RemoveFromGroup'),
    SetUpstreamInterface: handler('SetUpstreamInterface'),
    UnsetUpstreamInterface: handler('UnsetUpstreamInterface'),
    GetState: async ({ sender }) => {
      await requireRoot(bus, sender);
      return { body: [JSON.stringify(state())] };
    },
  };
  return bus.serve(PATH, API, handlers);
}

async function requireRoot(bus: Bus, sender: string): Promise<void> {
  const caller = await bus.credentials(sender);
  if (caller.ok && caller.value.uid === 0) return;
  throw new DBusError(`${SERVICE}.Error.PermissionDenied`, 'only root may change or see what is proxied');
}
