import { globalAddress, labForEach, labTest, type StandardLab, until } from '@pp/lab';
import { loadNative, type TunHandle } from '@pp/native';
import {
  decodeIcmp6,
  decodeIpv6,
  encodeIcmp6,
  encodeIpv6,
  encodeNd,
  Icmp6Type,
  ipv6FromBytes,
  prefixInformation,
} from '@pp/wire';
import { bytesOf, guestBehind, startProxy, up } from './ndproxy-rig';

/*
 * the test as a provider's router -- tun0 (no Ethernet) host -- ndproxy -- vg1: g1
 */

const ROUTER = bytesOf('fe80::1');
const ALL_NODES = bytesOf('ff02::1');

function packet(destination: Uint8Array, message: Parameters<typeof encodeIcmp6>[0]): Uint8Array {
  return encodeIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 58,
    hopLimit: 255,
    source: ROUTER,
    destination,
    payload: encodeIcmp6(message, ROUTER, destination),
  });
}

const ADVERT = packet(
  ALL_NODES,
  encodeNd({
    kind: 'router-advert',
    curHopLimit: 64,
    flags: 0,
    lifetimeSec: 1800,
    reachableMs: 0,
    retransMs: 0,
    options: [
      prefixInformation({
        prefixLength: 64,
        flags: 0xc0,
        validSec: 3600,
        preferredSec: 1800,
        prefix: bytesOf('2001:db8:99::'),
      }),
    ],
  }),
);

let lab: StandardLab;

labForEach((opened) => (lab = opened));

/** A router at the other end of tun0: it advertises when asked, and notes what it gets. */
function provider(pid: number): { readonly tun: TunHandle; readonly heard: string[]; close(): void } {
  const native = loadNative();
  const netns = native.openNetns({ pid });
  const heard: string[] = [];
  const tun: TunHandle = native.runInNetns(netns, () =>
    native.openTun({
      mode: 'tun',
      name: 'tun0',
      onFrames: (frames) => {
        for (let i = 0; i < frames.count; i++) {
          const ip = decodeIpv6(frames.frame(i));
          const icmp = ip.ok ? decodeIcmp6(ip.value.payload) : ip;
          if (!ip.ok || !icmp.ok || ip.value.nextHeader !== 58) continue;
          heard.push(
            `${icmp.value.type} from ${ipv6FromBytes(ip.value.source)} ${icmp.value.body.length} bytes`,
          );
          if (icmp.value.type === Icmp6Type.routerSolicit) tun.send([ADVERT]);
        }
      },
      onError: () => undefined,
    }),
  );
  const close = (): void => {
    tun.close();
    native.closeFd(netns);
  };
  return { tun, heard, close };
}

labTest('an upstream without Ethernet: a guest configures itself, and its packets leave by it', async () => {
  const isp = provider(lab.host.pid);
  await lab.host.shell(`cd /proc/sys/net/ipv6/conf
    echo 2 > tun0/accept_ra; echo 1 > all/forwarding; ip link set tun0 up`);
  const g1 = await guestBehind(lab, 'g1', 'vg1');
  const proxy = await startProxy(lab.host, ['tun0', 'vg1']);
  await up(g1);
  const address = await globalAddress(g1);
  expect(address).toMatch(/^2001:db8:99:/);
  await lab.host.shell('ip -6 route replace 2001:db8:1234::/48 dev tun0'); // what the provider’s default route would be
  await until('its echo request leaves', async () => {
    await g1.run('ping', ['-6', '-c', '1', '-W', '1', '2001:db8:1234::1']);
    return isp.heard.some((line) => line.startsWith(`${Icmp6Type.echoRequest} from ${address}`));
  });
  const solicits = isp.heard.filter((line) => line.startsWith(`${Icmp6Type.routerSolicit} from fe80`));
  expect(solicits.length).toBeGreaterThan(0);
  for (const line of solicits) expect(line).toMatch(/ 4 bytes$/); // no option
  expect(isp.heard.filter((line) => /^13[56] /.test(line))).toEqual([]); // no neighbours are discovered there
  expect(await lab.host.shell('ip -6 route show proto 81')).toContain(`${address} dev vg1`);
  expect((await proxy.stop()).code).toBe(0);
  isp.close();
});
