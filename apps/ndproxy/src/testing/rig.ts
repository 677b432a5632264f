import { MemoryLog, VirtualClock } from '@pp/base/testing';
import { seconds } from '@pp/base';
import type { HostRoute, InterfaceAddress, InterfacesView, InterfaceView } from '@pp/ports';
import {
  FakeGuard,
  FakeHostRoutes,
  FakeMemberships,
  FakePacketPorts,
  PacketLan,
  ScriptedInterfaces,
  ScriptedLosses,
} from '@pp/ports/testing';
import { toHex } from '@pp/wire/testing';
import { ALL_OFF } from '../core/limits';
import { NO_POLICY } from '../core/policy';
import { drawsFrom, mac, ourMac } from '../core/testing/scene';
import type { DesiredGroup } from '../groups/desired-groups';
import { ProxyService, type ProxySettings } from '../proxy-service';

export const NAMES = { eth0: 1, tap0: 2, tap1: 3, eth1: 4 } as const;
export type Name = keyof typeof NAMES;
const macText = (ifindex: number): string => `02:aa:00:00:00:0${ifindex}`;

export const view = (ifname: Name, over: Partial<InterfaceView> = {}): InterfaceView => ({
  ifname,
  ifindex: NAMES[ifname],
  type: 1,
  kind: 'veth',
  running: true,
  mtu: 1500,
  mac: macText(NAMES[ifname]),
  ...over,
});

export const ADDRESSES: readonly InterfaceAddress[] = [
  { ifindex: 1, cidr: 'fe80::a:1/64', usable: true },
  { ifindex: 1, cidr: '2001:db8::a/64', usable: true },
  { ifindex: 2, cidr: 'fe80::a:2/64', usable: true },
  { ifindex: 3, cidr: 'fe80::a:3/64', usable: true },
  { ifindex: 4, cidr: 'fe80::a:4/64', usable: true },
];

export const GROUP: DesiredGroup = { name: 'main', upstream: 'eth0', downstreams: ['tap*'] };

/** A proxy on LANs in memory, each with a station that sends and hears. */
export class Rig {
  readonly interfaces: ScriptedInterfaces;
  readonly packets = new FakePacketPorts();
  readonly routes: FakeHostRoutes;
  readonly guard = new FakeGuard();
  readonly losses = new ScriptedLosses();
  readonly memberships = new FakeMemberships();
  readonly clock = new VirtualClock();
  readonly log = new MemoryLog();
  readonly sysctls = new Map<string, string>();
  readonly lans = new Map<number, PacketLan>();
  readonly #stations = new Map<number, (frame: Uint8Array) => void>();
  readonly service: ProxyService;

  constructor(settings: Partial<ProxySettings> = {}, routes: readonly HostRoute[] = []) {
    this.interfaces = new ScriptedInterfaces({ links: [], addresses: [] });
    this.routes = new FakeHostRoutes(routes);
    const { packets, interfaces, guard, losses, memberships, clock, log } = this;
    for (const ifindex of Object.values(NAMES)) {
      const lan = new PacketLan();
      this.lans.set(ifindex, lan);
      packets.plug(ifindex, lan, toHex(ourMac(ifindex)));
      this.#stations.set(
        ifindex,
        lan.attach(toHex(mac(0x40 + ifindex)), () => undefined),
      );
    }
    this.service = new ProxyService(
      {
        mode: 'route',
        loopPolicy: 'guard',
        switches: ALL_OFF,
        policy: NO_POLICY,
        strict: false,
        ...settings,
      },
      {
        packets,
        interfaces,
        routes: this.routes,
        guard,
        losses,
        memberships,
        clock,
        log,
        seed: 1,
        randomBytes: drawsFrom(1),
        sysctl: (key) => this.sysctls.get(key) ?? null,
      },
    );
  }

  lan(ifindex: number): PacketLan {
    const lan = this.lans.get(ifindex);
    if (lan === undefined) throw new Error(`no segment at #${ifindex}`);
    return lan;
  }

  /** Serves, with these interfaces, and past the gates. */
  async start(
    names: readonly Name[] = ['eth0', 'tap0'],
    groups: readonly DesiredGroup[] = [GROUP],
  ): Promise<void> {
    this.service.setGroups(groups);
    await this.service.start();
    await this.tell(names.map((name) => view(name)));
    this.clock.advance(seconds(13));
  }

  async tell(links: readonly InterfaceView[], addresses = ADDRESSES): Promise<void> {
    const shown: InterfacesView = {
      links,
      addresses: addresses.filter(({ ifindex }) => links.some((link) => link.ifindex === ifindex)),
    };
    this.interfaces.tell(shown);
    await this.settled();
  }

  /** A node on the segment of an interface sends. */
  async send(on: Name, frame: Uint8Array): Promise<void> {
    this.#stations.get(NAMES[on])?.(frame);
    await this.settled();
  }

  /** All that needs no more than its turn is done: what others took away is made again. */
  idle(): Promise<void> {
    return new Promise((done) => setImmediate(done));
  }

  settled(): Promise<void> {
    return this.service.routes.settled();
  }
}
