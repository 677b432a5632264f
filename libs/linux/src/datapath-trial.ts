import { KernelError, SharedMap } from '@pp/base';
import type { Clock, Logger } from '@pp/base';
import { describe, NOTHING, plan, poolsWith, uplinksPart, vmPart, withoutIpv6 } from '@pp/datapath';
import type { Desired, Op, Part } from '@pp/datapath';
import type { Native } from '@pp/native';
import { addLink, dumpLinks, NetlinkClient, netlinkIn, type Link } from '@pp/netlink';
import { kernelErrorOf } from './errors';
import { LinuxKernel } from './linux-kernel';
import { readHostIpv6 } from './read-host-ipv6';

export interface DatapathTrial {
  readonly native: Native;
  readonly log: Logger;
  readonly clock: Clock;
  /** Whether a TAP is tried, too. */
  readonly taps: boolean;
}

/**
 * Lays the datapath of one uplink and one VM in a network namespace that nobody else sees and that ends with this call: the first step
 * that this kernel, or nft, refuses, or null.
 */
export async function tryDatapath({ native, log, clock, taps }: DatapathTrial): Promise<string | null> {
  const netns = outcomeOf('making a network namespace', () => native.createNetns());
  if (typeof netns === 'string') return netns;
  const route = new NetlinkClient(netlinkIn(native, 'route', netns));
  const kernel = new LinuxKernel({ native, log, clock, netnsFd: netns });
  try {
    await route.request(addLink({ ifname: 'eth0', kind: { name: 'veth', peer: { ifname: 'peer0' } } }));
    const links = await route.dump(dumpLinks());
    const steps = plan(NOTHING, wholeDatapath(links, taps), new Map());
    return firstRefusal(steps, await kernel.apply(steps));
  } catch (error) {
    return kernelErrorOf(error, 'making a veth').message;
  } finally {
    kernel.close();
    route.close();
    native.closeFd(netns);
  }
}

function outcomeOf<T>(request: string, make: () => T): T | string {
  try {
    return make();
  } catch (error) {
    return kernelErrorOf(error, request).message;
  }
}

function wholeDatapath(links: readonly Link[], taps: boolean): Desired {
  const { ifname = '', ifindex = 0 } = links.find((link) => link.ifname === 'eth0') ?? {};
  const uplink = { ifname, ifindex, kind: 'ethernet', addresses: [], defaults: [], routes: [] } as const;
  const pools = poolsWith([]);
  const takes = readHostIpv6() === 'absent' ? withoutIpv6 : (part: Part): Part => part;
  const vm = vmPart({
    key: 'termina/1',
    tap: 'vmtap0',
    mac: '02:00:00:00:00:01',
    owner: 0,
    subnet: '100.115.92.24/30',
    containers: null,
    source: 'CROSVM',
    forceForwarding: false,
  });
  return {
    shape: { uplinks: [{ ifname, ifindex }], guestPrefixes: pools.ok ? pools.value.guestPrefixes : [] },
    sysctls: new Map(),
    parts: SharedMap.of([
      ['uplinks', takes(uplinksPart([uplink], null))],
      ['termina/1', takes(taps ? vm : { ...vm, links: [], addresses: [], linkSysctls: [] })],
    ]),
  };
}

function firstRefusal(steps: readonly Op[], outcomes: readonly unknown[]): string | null {
  const at = outcomes.findIndex((outcome) => outcome instanceof KernelError);
  const [step, fault] = [steps[at], outcomes[at]];
  if (step === undefined || !(fault instanceof KernelError)) return null;
  const words = describe(step);
  return fault.request === words ? fault.message : `${words}: ${fault.message}`;
}
