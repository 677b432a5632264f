import type { Clock, Logger } from '@pp/base';
import { forwardingClient, type ForwardingClient } from '@pp/forwarding';
import type { HostRoutes } from '@pp/ports';
import type { Doors } from '../doors';
import { ProxyService, type ProxySettings } from '../proxy-service';
import { ManagerGroups } from './manager-groups';
import { ManagerRoutes } from './manager-routes';

export interface FollowOptions {
  readonly bus: Parameters<typeof forwardingClient>[0]['bus'];
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: ProxySettings;
  readonly doors: Omit<Doors, 'routes'>;
  /** Routes of the manager's protocol, for reading. */
  readonly managersRoutes: Pick<HostRoutes, 'list'>;
}

export interface Following {
  readonly service: ProxyService;
  readonly groups: ManagerGroups;
  readonly routes: ManagerRoutes;
  readonly client: ForwardingClient;
}

/** A proxy for what the manager on this bus says, which is told of the guests' addresses. Not started yet. */
export async function followManager(options: FollowOptions): Promise<Following> {
  const { bus, clock, log, settings, doors, managersRoutes: installed } = options;
  const groups = new ManagerGroups();
  const client = await forwardingClient({
    bus,
    clock,
    log,
    onChange: (forwarding) => {
      groups.tell(forwarding);
    },
  });
  const routes: ManagerRoutes = new ManagerRoutes({
    manager: client,
    installed,
    placeOf: (at) => service.placeOf(at),
  });
  const service: ProxyService = new ProxyService(settings, { ...doors, routes });
  return { service, groups, routes, client };
}
