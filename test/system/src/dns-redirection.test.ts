import { seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  lastSeen,
  secondUidMissing,
  STANDARD,
  startArcVm,
  startNameServer,
  startPlugin,
  startTermina,
  until,
  type Place,
} from '@pp/lab';
import { kernelMissing } from '@pp/netlink/testing';
import { encode, SetDnsRedirectionRuleRequestRuleType as Type, type Init, type Messages } from '@pp/proto';
import { spawnSync } from 'node:child_process';
import { GuestRig, UPLINK_ARGS } from './guest-rig';
import { expectAnswer, expectAnswers, forwardIpv6 } from './port-probe';

/*
 * SetDnsRedirectionRule with dnsmasq on both ends: the router answers one address for a name, the proxy (in a connected namespace) and a
 * name server in the Internet others; so the answer says who was asked.
 */

const NAME = 'router.lab';
const [ROUTER, PROXY, FAR] = ['192.168.77.1', '10.53.0.1', '10.53.0.2'];
/** The session's user, and somebody else. */
const [SESSION, OTHER] = [65534, 65533];
const AT_MOST = seconds(150);

const missing =
  labMissing() ?? (spawnSync('dig', ['-v']).error === undefined ? undefined : 'dig of bind9-dnsutils');

let rig: GuestRig;

beforeAll(async () => {
  if (missing !== undefined) return;
  rig = await GuestRig.open({ args: [...UPLINK_ARGS, '--session-user', String(SESSION)] });
  await (await startProxy()).stop(); // what the manager opens once for the namespace of a process is open from here on
  await rig.expectUnchanged();
  await rig.rememberIdle();
}, 60_000);

afterAll(async () => {
  if (missing === undefined) await rig.close();
}, 60_000);

/** What the one who is asked at `server` answers, or undefined. */
async function answer(
  place: Place,
  server: string,
  how: 'udp' | 'tcp',
  uid?: number,
  patience = seconds(1),
): Promise<string | undefined> {
  const as = uid === undefined ? [] : ['setpriv', '--reuid', String(uid), '--clear-groups', '--'];
  const query = [
    'dig',
    `@${server}`,
    NAME,
    '+short',
    '+tries=1',
    `+time=${patience / 1000}`,
    how === 'tcp' ? '+tcp' : '+notcp',
  ];
  const [command = '', ...args] = [...as, ...query];
  const { stdout } = await place.run(command, args);
  return /^\d+\.\d+\.\d+\.\d+$/m.exec(stdout)?.[0];
}

/** Both ways of asking, which must agree; where one alone gave no answer in its second, both are asked again. */
async function answers(place: Place, server: string, uid?: number): Promise<string | undefined> {
  const [udp, tcp] = await lastSeen(
    'both answers or none',
    () => Promise.all([answer(place, server, 'udp', uid), answer(place, server, 'tcp', uid)] as const),
    (seen) => (seen[0] === undefined) === (seen[1] === undefined),
  );
  expect([server, tcp]).toEqual([server, udp]);
  return udp;
}

/** Sets a rule; the returned function ends its lifeline and waits until it is gone. */
async function redirect(rule: Init<Messages['SetDnsRedirectionRuleRequest']>): Promise<() => Promise<void>> {
  const { native } = rig.client;
  const [keep, send] = native.pipe();
  await rig.client.raw('SetDnsRedirectionRule', encode('SetDnsRedirectionRuleRequest', rule), [send]);
  native.closeFd(send);
  const rules = () => rig.lab.host.ok('nft', ['--stateless', 'list', 'table', 'inet', 'patchpanel']);
  const before = await rules();
  return async () => {
    native.closeFd(keep);
    await until('the rule is gone', async () => (await rules()) !== before);
  };
}

/**
 * What was seen while the rules for the host's users stayed the same ones: whatever has the table loaded anew, a mended loss say, begins
 * anew with the first name server.
 */
async function ofOneLoad<T>(look: () => Promise<T>): Promise<T> {
  const handles = () =>
    rig.lab.host.ok('nft', ['--handle', 'list', 'chain', 'inet', 'patchpanel', 'dns_out']);
  const [seen] = await lastSeen(
    'answers of one load of the table',
    async () => {
      const before = await handles();
      return [await look(), (await handles()) === before] as const;
    },
    ([, isOneLoad]) => isOneLoad,
  );
  return seen;
}

async function inSequence<T>(times: number, ask: () => Promise<T>): Promise<readonly T[]> {
  const all: T[] = [];
  while (all.length < times) all.push(await ask());
  return all;
}

/** The manager takes IPv6 of a new namespace down and up once, so that it configures itself; until then it is added again. */
async function addIpv6(place: Place, ifname: string): Promise<void> {
  let inARow = 0;
  await until('IPv6 of the namespace stays', async () => {
    const { stdout } = await place.run('ip', ['-6', 'addr', 'show', 'dev', ifname, 'to', 'fd00:115:9::2']);
    inARow = stdout === '' ? 0 : inARow + 1;
    if (inARow === 0)
      await place.shell(`ip addr add fd00:115:9::2/64 dev ${ifname} nodad
        ip -6 route add default via fd00:115:9::1`);
    return inARow > 20;
  });
}

/** A proxy in a connected namespace, with an address of each family. */
async function startProxy() {
  const place = await rig.lab.guest('proxy');
  const { reply, release } = await rig.client.connect({ pid: place.pid });
  await rig.lab.host.ok('ip', ['addr', 'add', 'fd00:115:9::1/64', 'dev', reply.hostIfname, 'nodad']);
  await forwardIpv6(rig.lab.host, reply.hostIfname);
  await addIpv6(place, reply.peerIfname);
  await startNameServer(place, { [NAME]: PROXY });
  const stop = async (): Promise<void> => {
    release();
    await place.end();
  };
  return { v4: '100.115.92.130', v6: 'fd00:115:9::2', stop };
}

labTest(
  "DEFAULT and ARC: lookups of a guest's link go to the proxy as long as the lifeline lives, over both families",
  async () => {
    const { host } = rig.lab;
    const proxy = await startProxy();
    const [vm, other, arc] = [
      await startTermina(rig, 5),
      await startPlugin(rig, 6),
      await startArcVm(rig, 3),
    ];
    await host.ok('ip', ['addr', 'add', 'fd00:115:5::1/64', 'dev', vm.link, 'nodad']);
    await forwardIpv6(host, vm.link);
    await vm.guest.shell(`ip addr add fd00:115:5::2/64 dev ${vm.ifname} nodad
      ip -6 route add default via fd00:115:5::1`);
    const all = (): Promise<readonly (string | undefined)[]> =>
      Promise.all([
        answers(vm.guest, STANDARD.router.v4),
        answers(vm.guest, '198.51.100.1'), // where nobody is
        answers(vm.guest, STANDARD.router.v6), // there is no NAT of IPv6: without redirection no answer
        answers(other.guest, STANDARD.router.v4),
        answers(arc.guest, STANDARD.router.v4),
      ]);
    const expectAll = (...want: readonly (string | undefined)[]): Promise<void> => expectAnswers(all, want);
    const none = undefined;
    await expectAll(ROUTER, none, none, ROUTER, ROUTER);
    const guest = { type: Type.DEFAULT, inputIfname: vm.link };
    const endV4 = await redirect({ ...guest, proxyAddress: proxy.v4 });
    await expectAll(PROXY, PROXY, none, ROUTER, ROUTER);
    const endV6 = await redirect({ ...guest, proxyAddress: proxy.v6 });
    await expectAll(PROXY, PROXY, PROXY, ROUTER, ROUTER);
    const endArc = await redirect({ type: Type.ARC, inputIfname: arc.link, proxyAddress: proxy.v4 });
    await expectAll(PROXY, PROXY, PROXY, ROUTER, PROXY);
    await endV4();
    await expectAll(ROUTER, none, PROXY, ROUTER, PROXY);
    await endArc();
    await endV6();
    await expectAll(ROUTER, none, none, ROUTER, ROUTER);
    await Promise.all([vm.stop(), other.stop(), arc.stop()]);
    await proxy.stop();
    await rig.expectIdle();
  },
  missing,
  AT_MOST,
);

labTest(
  'who asks from the same port each time follows a redirection that comes, and one that goes',
  async () => {
    const proxy = await startProxy();
    const vm = await startTermina(rig, 5);
    const query = ['-b', '0.0.0.0#5300', `@${STANDARD.router.v4}`, NAME, '+short', '+tries=1', '+time=1'];
    const ask = async (): Promise<string | undefined> =>
      /^[\d.]+$/m.exec((await vm.guest.run('dig', query)).stdout)?.[0];
    await expectAnswer(ask, ROUTER);
    const end = await redirect({ type: Type.DEFAULT, inputIfname: vm.link, proxyAddress: proxy.v4 });
    await lastSeen('the proxy answers', ask, (seen) => seen === PROXY);
    await expectAnswer(ask, PROXY);
    await end();
    await lastSeen('the router answers', ask, (seen) => seen === ROUTER);
    await expectAnswer(ask, ROUTER);
    await vm.stop();
    await proxy.stop();
    await rig.expectIdle();
  },
  missing ?? kernelMissing(6, 12),
  AT_MOST,
);

labTest(
  "USER: the session's user asks the name servers in turn, others who follow a VPN ask the proxy, the rest whom they like",
  async () => {
    const { host, internet } = rig.lab;
    const proxy = await startProxy();
    const far = await startNameServer(internet, { [NAME]: FAR });
    const ask = (uid?: number, server: string = STANDARD.router.v4) => answers(host, server, uid);
    const expectAsked = (...want: readonly string[]): Promise<void> =>
      expectAnswers<string | undefined>(() => Promise.all([ask(SESSION), ask(OTHER), ask()]), want);
    const wantVpn = (uid: number): Promise<string> =>
      host.ok('nft', ['-f', '-'], {
        input: `table inet wants_vpn {
          chain c {
            type route hook output priority mangle + 10
            meta skuid ${uid} meta mark set meta mark & 0xffff3fff | 0x00008000
          }
        }\n`,
      });
    await expectAsked(ROUTER, ROUTER, ROUTER);
    const end = await redirect({
      type: Type.USER,
      proxyAddress: proxy.v4,
      nameservers: [STANDARD.internet.v4],
    });
    await expectAsked(FAR, ROUTER, ROUTER);
    await wantVpn(OTHER);
    await expectAsked(FAR, PROXY, ROUTER);
    const endV6 = await redirect({ type: Type.USER, proxyAddress: proxy.v6 });
    await expectAnswer(() => ask(OTHER, STANDARD.router.v6), PROXY);
    await expectAnswer(() => ask(undefined, STANDARD.router.v6), ROUTER);
    await endV6();
    const endBoth = await redirect({
      type: Type.USER,
      proxyAddress: proxy.v4,
      nameservers: [STANDARD.internet.v4, STANDARD.router.v4],
    });
    const inTurn = await ofOneLoad(() =>
      inSequence(6, () => answer(host, STANDARD.router.v4, 'udp', SESSION, seconds(20))),
    );
    expect([
      [FAR, ROUTER, FAR, ROUTER, FAR, ROUTER],
      [ROUTER, FAR, ROUTER, FAR, ROUTER, FAR],
    ]).toContainEqual(inTurn);
    await endBoth();
    await end();
    await expectAsked(ROUTER, ROUTER, ROUTER);
    await host.ok('nft', ['delete', 'table', 'inet', 'wants_vpn']);
    await far.stop();
    await proxy.stop();
    await rig.expectIdle();
  },
  missing ?? secondUidMissing(),
  AT_MOST,
);
