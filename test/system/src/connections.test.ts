import { seconds } from '@pp/base';
import {
  ApiClient,
  labForEach,
  labMissing,
  labTest,
  seenAs,
  STANDARD,
  startManager,
  startPeerEcho,
  startTermina,
  until,
  type Child,
  type StandardLab,
} from '@pp/lab';
import { kernelMissing } from '@pp/netlink/testing';
import { create, forwarding, remove } from './port-rules';

/** What the host remembers of connections when who had them is gone, or what let them pass. */

const { internet, host: uplink } = STANDARD;
const MISSING = labMissing() ?? kernelMissing(6, 12);

let lab: StandardLab;
let client: ApiClient;
labForEach(async (each) => {
  lab = each;
  await startManager(lab.host);
  client = await ApiClient.open(lab.bus.outside);
});
afterEach(() => {
  client.close();
});

const tracked = async (...args: readonly string[]): Promise<readonly string[]> =>
  (await lab.host.ok('conntrack', ['-L', ...args])).split('\n').filter((line) => line !== '');

labTest(
  'a guest gets the address of one that is gone, and none of its connections',
  async () => {
    const ADDRESS = '100.115.92.130';
    const guest = await lab.guest('guest');
    const { release } = await client.connect({ pid: guest.pid });
    const [server, inside] = [
      lab.internet.spawn('socat', [
        'TCP-LISTEN:4444,reuseaddr',
        'SYSTEM:while sleep 0.1; do echo secret; done',
      ]),
      await startPeerEcho(guest, ['udp:7000']),
    ];
    await create(client, forwarding('udp', 'eth0', 7000, `${ADDRESS}:7000`));
    await lab.lanhost.run('bash', ['-c', `exec 3<>/dev/udp/${uplink.v4}/7000; echo >&3; head -n 1 <&3`]);
    const mine = guest.spawn('socat', ['-u', `TCP:${internet.v4}:4444,retry=50,interval=0.1`, '-']);
    await mine.line('what the server says', (line) => (line === 'secret' ? true : undefined));
    const both = async (): Promise<readonly string[]> => [
      ...(await tracked('-s', ADDRESS)),
      ...(await tracked('-r', ADDRESS)),
    ];
    expect(await both()).toHaveLength(2);
    release();
    await until('nothing is left of it', async () => (await both()).length === 0);
    const next = await lab.guest('next');
    const { reply } = await client.connect({ pid: next.pid });
    expect(await lab.host.ok('ip', ['route', 'get', ADDRESS])).toContain(` dev ${reply.hostIfname} `);
    expect(await seenAs(next, internet.v4)).toBe(uplink.v4);
    for (const each of [mine, server, inside]) await each.stop();
  },
  MISSING,
);

/** Sends to a port of the host from one port of its own, several times a second. */
const stream = (port: number): Child =>
  lab.lanhost.spawn('socat', [
    '-u',
    'SYSTEM:while sleep 0.1; do echo x; done',
    `UDP-SENDTO:${uplink.v4}:${port},sourceport=5000`,
  ]);

labTest(
  'a stream of UDP that never pauses follows a forwarding, and ends with it',
  async () => {
    const vm = await startTermina({ lab, client }, 5);
    const streaming = stream(8080);
    await until(
      'the host hears it',
      async () => (await tracked('-p', 'udp', '--dport', '8080')).length === 1,
    );
    const heard = vm.guest.spawn('tcpdump', ['-n', '-l', '-i', 'eth0', 'udp port 7000']);
    await heard.line('sign of listening', (line) => (line.includes('listening') ? true : undefined));
    const count = (): number => heard.stdout.split('\n').filter((line) => line.includes('.7000: ')).length;
    const rule = forwarding('udp', 'eth0', 8080, `${vm.address}:7000`);
    await create(client, rule);
    await until('it reaches the guest', () => count() > 3);
    await remove(client, rule);
    const led = async (): Promise<readonly boolean[]> =>
      (await tracked('-p', 'udp', '--dport', '8080')).map((line) => line.includes(vm.address));
    await until('it comes, and is not led there', async () => (await led()).join() === 'false');
    for (const each of [heard, streaming]) await each.stop(seconds(5));
    await vm.stop();
  },
  MISSING,
);
