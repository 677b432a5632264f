import { seconds } from '@pp/base';
import {
  type Child,
  globalAddress,
  type Guest,
  labForEach,
  labTest,
  type Place,
  STANDARD,
  type StandardLab,
  until,
} from '@pp/lab';
import { answers, forward, guestBehind, startProxy, up } from './ndproxy-rig';

/*
 * internet -- router (radvd) -- lan: lanhost, host eth0 -- ndproxy --mode bridge -- vg1: g1, vg2: g2. The host forwards nothing.
 */

let lab: StandardLab;

labForEach((opened) => (lab = opened));

const startBridge = (): Promise<Child> => startProxy(lab.host, ['--mode', 'bridge', 'eth0', 'vg*']);

async function guestUp(name: string, ifname: string): Promise<Guest> {
  const guest = await guestBehind(lab, name, ifname);
  await up(guest);
  return guest;
}

/** TCP of `bytes` from one to the other; resolves with the number that arrived. */
async function transfer(from: Place, to: Place, address: string, bytes: number): Promise<number> {
  const server = to.spawn('sh', ['-c', 'socat -u TCP6-LISTEN:5001,reuseaddr - | wc -c']);
  const send = `head -c ${bytes} /dev/zero | socat -u - TCP6:[${address}]:5001`;
  const timeout = seconds(40); // the frames pass by the program
  await until('the server listens', async () => (await from.run('sh', ['-c', send], { timeout })).code === 0);
  return server.line('count of bytes', (line) => (/^\d+$/.test(line) ? Number(line) : undefined));
}

labTest('guests, the LAN and the Internet reach each other, and hop limits stay as they are', async () => {
  const [g1, g2] = [await guestUp('g1', 'vg1'), await guestUp('g2', 'vg2')];
  const proxy = await startBridge();
  const [a1, a2] = [await globalAddress(g1), await globalAddress(g2)];
  await answers(g1, STANDARD.internet.v6);
  await answers(lab.internet, a1);
  await answers(lab.lanhost, a1);
  await answers(g1, a2);
  await answers(lab.host, a1);
  await answers(g1, STANDARD.host.v6);
  const reply = await g1.ok('ping', ['-n', '-c', '1', STANDARD.lanhost.v6]);
  expect(reply).toMatch(/ttl=64/); // a router would have made it 63
  expect(await g1.ok('ping', ['-n', '-c', '2', '-W', '2', '-I', 'eth0', 'ff02::1'])).toMatch(/from fe80:/);
  expect((await proxy.stop()).code).toBe(0);
  expect(await lab.host.shell('nft list tables; ip -6 route show proto 81')).not.toMatch(/ndproxy|proto 81/);
});

labTest('a host that forwards sends no second copy, and no packet with a lower hop limit', async () => {
  await forward(lab.host);
  const g1 = await guestUp('g1', 'vg1');
  await startBridge();
  await globalAddress(g1);
  await answers(g1, STANDARD.lanhost.v6);
  const reply = await g1.ok('ping', ['-n', '-c', '3', STANDARD.lanhost.v6]);
  expect(reply).not.toContain('DUP');
  expect(reply.match(/ttl=64/g)).toHaveLength(3);
});

labTest('TCP passes with segmentation left to hardware, and without', async () => {
  const g1 = await guestUp('g1', 'vg1');
  await startBridge();
  const address = await globalAddress(g1);
  await answers(lab.lanhost, address);
  const MEGABYTES_20 = 20_000_000;
  expect(await transfer(lab.lanhost, g1, address, MEGABYTES_20)).toBe(MEGABYTES_20);
  expect(await transfer(g1, lab.lanhost, STANDARD.lanhost.v6, MEGABYTES_20)).toBe(MEGABYTES_20);
  await lab.lanhost.shell('ethtool -K eth0 tso off gso off tx off');
  await g1.shell('ethtool -K eth0 tso off gso off tx off');
  expect(await transfer(lab.lanhost, g1, address, MEGABYTES_20)).toBe(MEGABYTES_20);
  expect(await transfer(g1, lab.lanhost, STANDARD.lanhost.v6, MEGABYTES_20)).toBe(MEGABYTES_20);
});

labTest('a sender learns the smaller MTU behind the bridge, and TCP goes on with it', async () => {
  const g1 = await guestUp('g1', 'vg1');
  await lab.host.shell('ip link set vg1 mtu 1400');
  await startBridge();
  const address = await globalAddress(g1);
  await answers(lab.lanhost, address);
  const route = await until('the path MTU is known', async () => {
    await lab.lanhost.run('ping', ['-n', '-c', '1', '-W', '1', '-M', 'do', '-s', '1440', address]);
    const text = await lab.lanhost.ok('ip', ['-6', 'route', 'get', address]);
    return text.includes('mtu 1400') ? text : undefined;
  });
  expect(route).toContain('mtu 1400');
  expect(await transfer(lab.lanhost, g1, address, 2_000_000)).toBe(2_000_000);
});
