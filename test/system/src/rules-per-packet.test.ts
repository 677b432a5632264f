import { seconds } from '@pp/base';
import { ApiClient, labMissing, labTest, STANDARD, standardLab, startManager, until } from '@pp/lab';
import type { Child, Guest, Host, StandardLab } from '@pp/lab';
import { encode } from '@pp/proto';
import { access, create, forwarding, lockdown } from './port-rules';

/*
 * The price of a packet is the rules that it passes, and the elements of a hash table cost the same at any number. So the rules that the
 * kernel says a packet passed (nft's trace) must be the same ones, in the same order, with one guest and with many.
 */

const NAMESPACES = 460;
const VMS_A_KIND = 20;
const PORT_RULES = 1000;
const POOL = ['namespace=10.200.0.0/16', 'lxd=10.201.0.0/16'].flatMap((pool) => ['--pool', pool]);
const { v4: INTERNET } = STANDARD.internet;

/** Rules of our table that one forwarded packet passed, as nft prints them: chain, rule, verdict. */
interface Passed {
  readonly request: readonly string[];
  readonly reply: readonly string[];
}

labTest(
  `a packet passes the same rules with ${NAMESPACES + 2 * VMS_A_KIND} guests of all kinds, ARC and ${PORT_RULES} port rules as with one guest`,
  async () => {
    const lab = await standardLab();
    try {
      const manager = await startManager(lab.host, { args: ['--uplink', 'eth0=ethernet', ...POOL] });
      const client = await ApiClient.open(lab.bus.outside);
      const guest = await lab.guest('probe');
      await client.connect({ pid: guest.pid });
      await traceEchoes(lab.host);

      const alone = { passed: await rulesPassed(lab, guest), rules: await ruleCount(lab.host) };
      for (let connected = 1; connected < NAMESPACES; connected += 16) {
        const more = Math.min(16, NAMESPACES - connected);
        await Promise.all(Array.from({ length: more }, () => client.connect({ pid: -1 })));
      }
      await startVms(client);
      await openPorts(client);
      const crowded = { passed: await rulesPassed(lab, guest), rules: await ruleCount(lab.host) };

      expect(await portElements(lab.host)).toBe(PORT_RULES);
      expect(await guestLinks(lab.host)).toEqual({ arc_ns: NAMESPACES, vmtap: 2 * VMS_A_KIND + 6 });
      expect(alone.passed.request.join('\n')).toContain('masquerade'); // else it was not our datapath that was traced
      expect(alone.passed.reply.length).toBeGreaterThan(0);
      expect(crowded).toEqual(alone);
      client.close();
      await manager.stop();
    } finally {
      await lab.close();
    }
  },
  labMissing(),
  seconds(150),
);

async function startVms(client: ApiClient): Promise<void> {
  for (let id = 1; id <= VMS_A_KIND; id++) {
    await client.raw('TerminaVmStartup', encode('TerminaVmStartupRequest', { cid: id }));
    await client.raw('PluginVmStartup', encode('PluginVmStartupRequest', { id: BigInt(id) }));
  }
  await client.raw('ArcVmStartup', encode('ArcVmStartupRequest', { cid: 3 }));
}

/** Of every type, for guests that are there and for others. */
async function openPorts(client: ApiClient): Promise<void> {
  const [guest, target] = ['arc_ns0', '100.115.92.26:80'];
  const rules = Array.from({ length: PORT_RULES / 5 }, (_, port) => [
    access('tcp', 1 + port),
    access('udp', 1 + port, guest),
    lockdown('tcp', 1 + port),
    forwarding('tcp', 'eth0', 1 + port, target),
    forwarding('udp', guest, 1 + port, target, INTERNET),
  ]);
  for (const some of rules) await Promise.all(some.map((rule) => create(client, rule)));
}

async function portElements(host: Host): Promise<number> {
  const sets = [
    'set open_ports',
    'set open_ports_on',
    'set locked_ports',
    'map port_forwards',
    'map port_forwards_at',
  ];
  let elements = 0;
  for (const set of sets) {
    const [kind = '', name = ''] = set.split(' ');
    const { nftables } = (await host.json('nft', '-j', 'list', kind, 'inet', 'patchpanel', name)) as {
      readonly nftables: readonly Partial<Record<string, { readonly elem?: readonly unknown[] }>>[];
    };
    elements += nftables.find((object) => kind in object)?.[kind]?.elem?.length ?? 0;
  }
  return elements;
}

/** In a table of its own that comes before all others. */
async function traceEchoes(host: Host): Promise<void> {
  await host.ok('nft', ['-f', '-'], {
    input: `table inet trace {
      chain first {
        type filter hook prerouting priority -500;
        ip daddr ${INTERNET} icmp type echo-request meta nftrace set 1
        ip saddr ${INTERNET} icmp type echo-reply meta nftrace set 1
      }
    }\n`,
  });
}

/** Of the first ping that was traced from beginning to end, there and back. */
async function rulesPassed({ host }: StandardLab, guest: Guest): Promise<Passed> {
  const monitor = host.spawn('nft', ['monitor', 'trace']);
  try {
    return await until('a ping is traced there and back', async () => {
      await guest.ok('ping', ['-n', '-c', '1', '-W', '2', INTERNET]);
      return firstWhole(tracesOf(monitor));
    });
  } finally {
    await monitor.stop();
  }
}

/** One traced packet: its lines without their identifier. */
type Trace = readonly string[];

/** In the order in which the packets came. An identifier is made of addresses in memory, so a later packet may have it again. */
function tracesOf(monitor: Child): readonly Trace[] {
  const traces: string[][] = [];
  const current = new Map<string, string[]>(); // BOUNDED: by the packets of one test
  for (const line of monitor.stdout.split('\n')) {
    const [, id, rest] = /^trace id (\w+) (.*)$/.exec(line) ?? [];
    if (id === undefined || rest === undefined) continue;
    let trace = current.get(id);
    if (trace === undefined || rest.startsWith('inet trace first packet: ')) {
      trace = [];
      traces.push(trace);
      current.set(id, trace);
    }
    trace.push(rest);
  }
  return traces;
}

/** The monitor may have begun within the first packet, and may not have told all of the last. */
function firstWhole(traces: readonly Trace[]): Passed | undefined {
  const whole = traces.slice(1, -1);
  const request = whole.find((trace) => isOf(trace, 'echo-request'));
  const reply = whole.find((trace) => isOf(trace, 'echo-reply'));
  return request && reply && { request: ourRules(request), reply: ourRules(reply) };
}

const isOf = (trace: Trace, icmpType: string): boolean =>
  trace.some((line) => line.includes(' packet: ') && line.includes(`icmp type ${icmpType}`));

function ourRules(trace: Trace): readonly string[] {
  const prefix = 'inet patchpanel ';
  return trace
    .filter((line) => line.startsWith(prefix) && line.includes(' rule '))
    .map((line) => line.slice(prefix.length));
}

async function ruleCount(host: Host): Promise<number> {
  const listing = (await host.json('nft', '-j', 'list', 'ruleset')) as {
    readonly nftables: readonly object[];
  };
  return listing.nftables.filter((object) => 'rule' in object).length;
}

async function guestLinks(host: Host): Promise<Readonly<Record<'arc_ns' | 'vmtap', number>>> {
  const links = (await host.json('ip', '-j', 'link')) as readonly { readonly ifname: string }[];
  const count = (prefix: string): number => links.filter(({ ifname }) => ifname.startsWith(prefix)).length;
  return { arc_ns: count('arc_ns'), vmtap: count('vmtap') };
}
