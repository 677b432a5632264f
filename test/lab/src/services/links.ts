import type { Place } from '../place';
import { until } from '../until';

/** As `ip -d -j link` has it. */
interface LinkFacts {
  /** RFC 2863: UNKNOWN is of drivers that do not say; they pass frames. */
  readonly operstate: string;
  readonly master?: string;
  readonly linkinfo?: { readonly info_slave_data?: { readonly state?: string } };
}

/**
 * Waits until frames pass an interface, and the bridge that it is a port of. The kernel follows a carrier in its own time, up to a second
 * after both ends are up; what is sent before is lost.
 */
export async function passesFrames(place: Place, ifname: string): Promise<void> {
  await until(`frames pass ${ifname} of ${place.name}`, async () => {
    const { operstate, master, linkinfo } = await linkFacts(place, ifname);
    if (!isOperational(operstate)) return false;
    if (master === undefined) return true;
    const port = linkinfo?.info_slave_data?.state ?? 'forwarding';
    return port === 'forwarding' && isOperational((await linkFacts(place, master)).operstate);
  });
}

async function linkFacts(place: Place, ifname: string): Promise<LinkFacts> {
  const [facts] = (await place.json('ip', '-d', '-j', 'link', 'show', 'dev', ifname)) as readonly LinkFacts[];
  if (facts === undefined) throw new Error(`${place.name} has no ${ifname}`);
  return facts;
}

const isOperational = (operstate: string): boolean => operstate === 'UP' || operstate === 'UNKNOWN';
