import { setTimeout as delay } from 'node:timers/promises';
import { seconds } from '@pp/base';
import { ApiClient, labMissing, labTest, startManager } from '@pp/lab';
import { encode, SetDnsRedirectionRuleRequestRuleType as RuleType } from '@pp/proto';
import { dice } from './dice';
import { GuestRig, UPLINK_ARGS } from './guest-rig';
import { access, create, remove } from './port-rules';

/*
 * Clients, uplinks and people with root's tools, all at once and none waiting for the other: the manager lives through it without a fault, and
 * when all have gone the host is as without guests; so it is when the manager is killed again and again meanwhile.
 *
 *   TURNS=500 SEED=7 npx jest storm
 */

const TURNS = Number(process.env['TURNS'] ?? 25);
const SEED = Number(process.env['SEED'] ?? 20_261_122);

type Roll = (sides: number) => number;
type Act = (roll: Roll) => Promise<unknown>;

let rig: GuestRig;

beforeAll(async () => {
  if (labMissing() === undefined) rig = await GuestRig.open();
}, 60_000);

afterAll(async () => {
  if (labMissing() === undefined) await rig.close();
}, 60_000);

/** Most live for less than the 300 ms after which their IPv6 is configured anew, some for longer. */
const namespace: Act = async (roll) => {
  const { release } = await rig.client.connect({ pid: -1 });
  await delay(roll(3) === 0 ? 250 + roll(120) : roll(60));
  release();
};

/** Both may find that the other was here. */
const termina: Act = async (roll) => {
  const cid = 1 + roll(3);
  await rig.client.ask('TerminaVmStartup', { cid });
  await delay(roll(100));
  await rig.client.ask('TerminaVmShutdown', { cid });
};

const arcVm: Act = async (roll) => {
  await rig.client.ask('ArcVmStartup', { cid: 9 });
  await delay(roll(200));
  await rig.client.ask('ArcVmShutdown', { cid: 9 });
};

/** Android's process may end before its start, in the middle, or after it. */
const arcContainer: Act = async (roll) => {
  const android = rig.lab.host.spawn('unshare', ['--net', '--', 'sleep', '60']);
  await delay(roll(60));
  const started = rig.client.ask('ArcStartup', { pid: android.pid });
  const ended = delay(roll(60)).then(() => android.stop());
  const [start] = await Promise.allSettled([started, ended]);
  if (start.status === 'rejected') throw start.reason;
  await rig.client.ask('ArcShutdown', {});
};

const port: Act = async (roll) => {
  const rule = access(roll(2) === 0 ? 'tcp' : 'udp', 8000 + roll(3));
  await create(rig.client, rule);
  await remove(rig.client, rule);
};

const dns: Act = async (roll) => {
  const { native } = rig.client;
  const [keep, send] = native.pipe();
  const rule = { type: RuleType.DEFAULT, inputIfname: `vmtap${roll(2)}`, proxyAddress: '192.168.77.2' };
  try {
    await rig.client.raw('SetDnsRedirectionRule', encode('SetDnsRedirectionRuleRequest', rule), [send]);
  } finally {
    native.closeFd(send);
    native.closeFd(keep);
  }
};

/** What a proxy would tell of a guest that may be gone. */
const neighbor: Act = async (roll) => {
  const address = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0x77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 + roll(9));
  const ifname = `vmtap${roll(3)}`;
  await rig.client.neighbor(roll(2) === 0 ? 'NeighborDetected' : 'NeighborLost', {
    ifname,
    address,
    upstream: 'eth0',
  });
  await delay(roll(30));
};

/** A client that asks, and leaves the bus without waiting for the answer. */
const impatient: Act = async (roll) => {
  const client = await ApiClient.open(rig.lab.bus.outside);
  const gone = client.connect({ pid: -1 }).then(
    ({ release }) => {
      release();
    },
    () => undefined,
  );
  await delay(roll(6));
  client.close();
  client.releaseAll();
  await gone;
};

const looker: Act = async (roll) => {
  await rig.client.ask('GetDevices', {});
  await delay(roll(20));
};

const WITH_WLAN0 = `ip link add wlan0 index 500 type veth peer name air index 501
  ip addr add 192.168.99.2/24 dev wlan0
  ip addr add 2001:db8:99::2/64 dev wlan0 nodad
  ip link set air up
  ip link set wlan0 up
  ip route add default via 192.168.99.1 dev wlan0 metric 10
  ip -6 route add default via fe80::99 dev wlan0 metric 10`;

const uplink: Act = async (roll) => {
  await rig.lab.host.shell(WITH_WLAN0);
  await delay(roll(300));
  await rig.lab.host.shell(
    `ip addr del 2001:db8:99::2/64 dev wlan0; ip addr add 2001:db8:98::2/64 dev wlan0 nodad`,
  );
  await delay(roll(300));
  await rig.lab.host.shell('ip link del wlan0');
};

/** What an operator does by mistake, or another tool on purpose. */
const SABOTAGE = [
  'nft flush ruleset',
  'nft delete table inet patchpanel',
  'ip route flush proto 80; ip -6 route flush proto 80',
  'ip rule del pref 1010; ip -6 rule del pref 1000',
  'for each in $(ip netns list | grep -o "connected_netns_[0-9]*" | tail -2); do ip netns del $each; done',
  'for each in $(ls /sys/class/net | grep -E "^(arc_ns|vmtap|arc_)" | tail -2); do ip link del $each; done',
  'for each in $(ls /sys/class/net | grep -E "^(arc_ns|vmtap|arc)" | head -2); do ip link set $each down; ip addr flush dev $each; done',
  'for each in $(ip netns list | grep -o "connected_netns_[0-9]*" | tail -1); do ip netns exec $each sh -c "ip link del $(ls /sys/class/net | grep veth)"; done',
];

const sabotage: Act = async (roll) => {
  await delay(roll(400));
  await rig.lab.host.run('sh', ['-c', SABOTAGE[roll(SABOTAGE.length)] ?? '']);
};

const ACTORS: readonly Act[] = [
  ...[namespace, namespace, namespace, namespace, termina, termina, arcVm, arcContainer],
  ...[port, dns, neighbor, impatient, looker, uplink, sabotage],
];

async function storm(): Promise<void> {
  await Promise.all(ACTORS.map((act, index) => perform(act, dice(SEED + index))));
}

async function perform(act: Act, roll: Roll): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await act(roll).catch(expectRefused);
}

/**
 * Of what is there already, of what is not, of what was taken away meanwhile: by the manager, in its own words; or by the bus, where there was
 * no manager.
 */
function expectRefused(fault: unknown): void {
  expect((fault as Error).name).toMatch(
    /^org\.(?:chromium\.PatchPanel\.Error\.|freedesktop\.DBus\.Error\.(?:NoReply|ServiceUnknown|NameHasNoOwner)$)/,
  );
}

const expectNoFault = (): void => {
  expect(rig.manager.process.output()).not.toMatch(/"event":"(?:fault|dbus.handler)"/);
};

/** What was asked for and never taken back, for its manager was killed, or its client refused in between. */
async function takeBack(): Promise<void> {
  const { client } = rig;
  await Promise.allSettled([
    ...[1, 2, 3].map((cid) => client.ask('TerminaVmShutdown', { cid })),
    client.ask('ArcVmShutdown', { cid: 9 }),
    client.ask('ArcShutdown', {}),
    ...[8000, 8001, 8002].flatMap((port) =>
      (['tcp', 'udp'] as const).map((protocol) => remove(client, access(protocol, port))),
    ),
  ]);
}

const ALL = `${TURNS} turns of ${ACTORS.length} actors at once (seed ${SEED})`;

labTest(
  `${ALL} end in a host without guests, and the manager has seen no fault`,
  async () => {
    const { pid } = rig.manager;
    await storm();
    expect([rig.manager.pid, rig.manager.process.isRunning]).toEqual([pid, true]);
    expectNoFault();
    await takeBack();
    await rig.expectIdle();
  },
  labMissing(),
  seconds(60 + 5 * TURNS),
);

labTest(
  `${ALL}, and a manager that is killed again and again, end in a host without guests`,
  async () => {
    const roll = dice(SEED);
    const end = new AbortController();
    const over = storm().finally(() => {
      end.abort();
    });
    while (!end.signal.aborted) {
      await delay(500 + roll(2500));
      await rig.manager.kill();
      expectNoFault();
      rig.manager = await startManager(rig.lab.host, { args: UPLINK_ARGS });
    }
    await over;
    await takeBack();
    await rig.expectIdle();
  },
  labMissing(),
  seconds(60 + 10 * TURNS),
);
