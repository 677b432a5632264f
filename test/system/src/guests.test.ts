import {
  GUEST_KINDS,
  type Host,
  labTest,
  pings,
  reaches,
  type Place,
  type RunningGuest,
  seenAs,
  STANDARD,
  startPeerEcho,
  startPlugin,
  startTermina,
  UNWANTED,
  until,
} from '@pp/lab';
import { parseMacBytes } from '@pp/wire';
import { GuestRig } from './guest-rig';
import { sendMadeUp } from './made-up-senders';

/** What every kind of guest can and cannot do, by traffic of real guests. */

const { internet, lanhost, host: uplink } = STANDARD;

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

/** What a test has started, ended after it also where it failed: nothing of it is in the way of the next. */
const started: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of started.splice(0).reverse()) await end();
});

/** Peer echo for as long as the test runs. */
async function serve(place: Place, services: readonly string[]): Promise<void> {
  const server = await startPeerEcho(place, services);
  started.push(() => server.stop());
}

/** TCP is not answered. */
const isDeaf = async (from: Place, to: string, port = 7): Promise<boolean> =>
  (await seenAs(from, to, port, UNWANTED)) === undefined;

/** TCP is answered. */
const hears = async (from: Place, to: string, port = 7): Promise<boolean> =>
  (await seenAs(from, to, port)) !== undefined;

/** Packets that were dropped for this reason so far. */
async function dropped(reason: string): Promise<number> {
  const list = await rig.lab.host.json('nft', '-j', 'list', 'counter', 'inet', 'patchpanel', reason);
  const { nftables } = list as { nftables: { counter?: { packets: number } }[] };
  return nftables.find(({ counter }) => counter !== undefined)?.counter?.packets ?? 0;
}

for (const kind of GUEST_KINDS) {
  describe(kind.name, () => {
    let running: RunningGuest;

    beforeAll(async () => {
      running = await kind.start(rig);
    }, 60_000);

    afterAll(async () => {
      await running.stop();
      await rig.expectIdle();
    }, 60_000);

    labTest('reaches its gateway, and the Internet as the address of the uplink', async () => {
      const { guest, gateway } = running;
      expect(await reaches(guest, gateway)).toBe(true);
      expect(await reaches(guest, internet.v4)).toBe(true);
      expect(await seenAs(guest, internet.v4)).toBe(uplink.v4);
    });

    labTest('is reached by its host, and by no neighbour unasked, in both families', async () => {
      const { guest, address, ifname } = running;
      const lan = rig.lab.lanhost;
      await giveIpv6(running);
      await tell('NeighborDetected', running);
      await serve(guest, ['tcp:7']);
      await lan.shell(`
        ip route replace ${address}/32 via ${uplink.v4}
        ip route replace ${V6}/128 via ${uplink.v6}`);
      started.push(async () => {
        await lan.shell(`ip route del ${address}/32; ip route del ${V6}/128`);
        await tell('NeighborLost', running);
        await guest.ok('ip', ['addr', 'del', `${V6}/128`, 'dev', ifname]);
      });
      for (const [to, gate] of [
        [address, uplink.v4],
        [V6, uplink.v6],
      ] as const) {
        const before = await dropped('drop_unasked');
        const tried = [isDeaf(lan, to), pings(lan, to), hears(rig.lab.host, to), reaches(lan, gate)];
        expect([to, ...(await Promise.all(tried))]).toEqual([to, true, false, true, true]);
        expect(await dropped('drop_unasked')).toBeGreaterThan(before);
      }
      expect(await reaches(guest, lanhost.v6)).toBe(true); // asked for, it passes
    });

    labTest('reaches no service of the host, on none of its addresses', async () => {
      await serve(rig.lab.host, ['tcp:7777']);
      const asked = [running.gateway, uplink.v4, uplink.eth1].flatMap((address) => [
        hears(rig.lab.host, address, 7777),
        isDeaf(running.guest, address, 7777),
      ]);
      expect(await Promise.all(asked)).toEqual([true, true, true, true, true, true]);
    });

    labTest('reaches no service of the host by a group that every host is in', async () => {
      const { guest, ifname } = running;
      for (const group of ['224.0.0.1', `ff02::1%${ifname}`]) {
        const before = await dropped('drop_guest_to_host');
        await until(`what is said to ${group} is dropped`, async () => {
          await guest.run('bash', ['-c', `echo > /dev/udp/${group}/7777`]);
          return (await dropped('drop_guest_to_host')) > before;
        });
      }
    });

    labTest('is dropped and counted with an IPv4 source of somebody else', async () => {
      const { guest, ifname } = running;
      await guest.ok('ip', ['addr', 'add', '192.168.77.99/32', 'dev', ifname]);
      started.push(() => guest.ok('ip', ['addr', 'del', '192.168.77.99/32', 'dev', ifname]));
      const before = await dropped('drop_spoofed_ip4');
      const ping = await guest.run('ping', ['-c1', '-W1', '-I', '192.168.77.99', lanhost.v4]);
      expect(ping.code).toBe(1);
      await until('it is counted', async () => (await dropped('drop_spoofed_ip4')) > before);
      expect(await dropped('drop_spoofed_ip4')).toBe(before + 1);
    });

    labTest("is dropped with the host's Ethernet address, or an IPv6 source not its own", async () => {
      const { guest, ifname, link } = running;
      await giveIpv6(running);
      const spoofed6 = await dropped('drop_spoofed_ip6');
      expect(await pings(guest, lanhost.v6)).toBe(false);
      expect(await dropped('drop_spoofed_ip6')).toBeGreaterThan(spoofed6);
      await guest.ok('ip', ['addr', 'del', `${V6}/128`, 'dev', ifname]);

      const [own, hosts] = [await macOf(guest, ifname), await macOf(rig.lab.host, link)];
      const spoofed = await dropped('drop_spoofed_mac');
      await guest.ok('ip', ['neigh', 'replace', running.gateway, 'lladdr', hosts, 'dev', ifname]);
      await guest.ok('ip', ['link', 'set', ifname, 'address', hosts]);
      expect(await pings(guest, running.gateway)).toBe(false);
      expect(await dropped('drop_spoofed_mac')).toBeGreaterThan(spoofed);
      await guest.ok('ip', ['link', 'set', ifname, 'address', own]);
      expect(await reaches(guest, running.gateway)).toBe(true); // its own passes again
    });

    labTest('takes no place in the neighbour table for addresses that it makes up', async () => {
      const { guest, gateway, link, ifname } = running;
      await guest.ok('ip', ['addr', 'add', '10.66.0.1/32', 'dev', ifname]);
      started.push(() => guest.ok('ip', ['addr', 'del', '10.66.0.1/32', 'dev', ifname]));
      await guest.ok('ip', ['neigh', 'flush', 'dev', ifname]);
      await guest.run('ping', ['-c1', '-W2', '-I', '10.66.0.1', gateway]);
      const asked = await guest.json('ip', '-j', 'neigh', 'show', 'to', gateway);
      expect(asked).toMatchObject([{ dst: gateway }]);
      expect(await rig.lab.host.json('ip', '-j', 'neigh', 'show', 'to', '10.66.0.1', 'dev', link)).toEqual(
        [],
      );
      expect(await reaches(guest, gateway)).toBe(true);
    });

    labTest('takes few places in it by link-local addresses that it makes up', async () => {
      const { guest, link, ifname } = running;
      const gateway = await until(`${link} has a link-local address`, () => linkLocalOf(rig.lab.host, link));
      const [mac, own] = [await macBytesOf(rig.lab.host, link), await macBytesOf(guest, ifname)];
      const ifindex = Number(await guest.shell(`ip -o link show dev ${ifname} | cut -d: -f1`));
      const beyond = internet.v6; // the host cannot pass it on, and says so
      for (const [what, to] of [
        ['solicit', gateway],
        ['echo', gateway],
        ['echo', beyond],
      ] as const) {
        sendMadeUp(guest, ifindex, { what, count: 2048, to, mac, own });
        const taken = await rig.lab.host.json('ip', '-6', '-j', 'neigh', 'show', 'nud', 'all', 'dev', link);
        expect([what, to, (taken as unknown[]).length < 400]).toEqual([what, to, true]);
        await rig.lab.host.run('ip', ['-6', 'neigh', 'flush', 'dev', link, 'nud', 'all']);
      }
      expect(await reaches(guest, `${gateway}%${ifname}`)).toBe(true);
    });

    labTest('is not reached by another guest, nor reaches it', async () => {
      const other = await startPlugin(rig, 99);
      started.push(() => other.stop());
      const before = await dropped('drop_guest_to_guest');
      const tried = [pings(other.guest, running.address), pings(running.guest, other.address)];
      expect(await Promise.all(tried)).toEqual([false, false]);
      expect(await dropped('drop_guest_to_guest')).toBeGreaterThan(before + 1);
    });

    labTest('and a namespace reach each other where that allows user traffic, and else not', async () => {
      const client = await rig.lab.guest('client');
      started.push(() => client.end());
      for (const allowUserTraffic of [true, false]) {
        const { reply, release } = await rig.client.connect({ pid: client.pid, allowUserTraffic });
        const inside = '100.115.92.130';
        const ask = allowUserTraffic ? reaches : pings;
        const tried = [ask(client, running.address), ask(running.guest, inside)];
        expect(await Promise.all(tried)).toEqual([allowUserTraffic, allowUserTraffic]);
        release();
        await until('the namespace is gone', async () => !(await hasLink(rig.lab.host, reply.hostIfname)));
      }
    });
  });
}

/** An address of the uplink's network, as a guest would make it from router advertisements relayed to it. */
const V6 = '2001:db8:77::99';
const V6_BYTES = Uint8Array.from([0x20, 1, 0x0d, 0xb8, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x99]);

/** The guest has the address. */
async function giveIpv6({ guest, link, ifname }: RunningGuest): Promise<void> {
  const gateway = await until(`${link} has a link-local address`, () => linkLocalOf(rig.lab.host, link));
  await guest.shell(`
    ip addr replace ${V6}/128 dev ${ifname} nodad
    ip -6 route replace default via ${gateway} dev ${ifname}`);
}

/** The manager hears of the address from a proxy: from then on its route leads to the guest. */
const tell = (event: 'NeighborDetected' | 'NeighborLost', { link }: RunningGuest): Promise<void> =>
  rig.client.neighbor(event, { ifname: link, address: V6_BYTES, upstream: 'eth0' });

async function linkLocalOf(host: Host, ifname: string): Promise<string | undefined> {
  const text = await host.ok('ip', [
    '-6',
    '-o',
    'addr',
    'show',
    'dev',
    ifname,
    'scope',
    'link',
    '-tentative',
  ]);
  return /inet6 (\S+)\/64/.exec(text)?.[1];
}

async function macBytesOf(place: Place, ifname: string): Promise<Uint8Array> {
  return parseMacBytes(await macOf(place, ifname)) ?? new Uint8Array(6);
}

async function macOf(place: Place, ifname: string): Promise<string> {
  const [link] = (await place.json('ip', '-j', 'link', 'show', 'dev', ifname)) as { address: string }[];
  return link?.address ?? '';
}

async function hasLink(host: Host, ifname: string): Promise<boolean> {
  return (await host.run('ip', ['link', 'show', 'dev', ifname])).code === 0;
}

labTest('a group that somebody on the host has joined is heard from a VM, at any port', async () => {
  const vm = await startTermina(rig, 6);
  for (const [group, listen] of [
    ['224.0.0.113', `UDP4-RECV:9956,ip-add-membership=224.0.0.113:${vm.link}`],
    [`ff02::114%${vm.ifname}`, `UDP6-RECV:9956,ipv6-join-group=[ff02::114]:${vm.link}`],
  ] as const) {
    const listener = rig.lab.host.spawn('socat', ['-u', listen, '-']);
    await until(`what is said to ${group} is heard`, async () => {
      await vm.guest.run('bash', ['-c', `echo hello > /dev/udp/${group}/9956`]);
      return listener.stdout.includes('hello');
    });
    await listener.stop();
  }
  await vm.stop();
  await rig.expectIdle();
});

labTest('the container subnet of a Termina VM is reached from the host, and routed out', async () => {
  const termina = await startTermina(rig, 5);
  await termina.guest.shell('ip addr add 100.115.92.193/28 dev lo');
  expect(await reaches(rig.lab.host, '100.115.92.193')).toBe(true);
  const ping = await termina.guest.run('ping', ['-c1', '-W20', '-I', '100.115.92.193', internet.v4]);
  expect(ping.code).toBe(0);
  await termina.stop();
  await rig.expectIdle();
});
