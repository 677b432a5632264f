import { seconds } from '@pp/base';
import { ApiClient } from '../api-client';
import { startTermina } from '../guest-kinds';
import { tapMissing } from '../lab-test';
import { program } from '../manager';
import type { Place } from '../place';
import { seenAs } from '../services/peer-echo';
import { pings, reaches } from '../services/probes';
import { globalAddress } from '../services/slaac';
import { STANDARD } from '../standard-lab';
import { until } from '../until';
import { connectionOf, type Scene } from './scene';
import type { Row, Verdict } from './table';

const { internet } = STANDARD;

/** Guests on the prefix of the uplink, by ndproxy, which runs for as long as a row is checked. */
export const IPV6_ROWS: readonly Row<Scene>[] = [
  { name: 'namespace on the IPv6 Internet', check: withProxy(namespaceOut) },
  { name: 'Termina VM on the IPv6 Internet', check: withProxy(terminaOut), missing: tapMissing },
];

function withProxy(check: (scene: Scene) => Promise<Verdict>): (scene: Scene) => Promise<Verdict> {
  return async (scene) => {
    const proxy = scene.lab.host.spawn(program('ndproxy'), ['--state-dir', '/run/lab/ndproxy']);
    await proxy.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
    return check(scene).finally(() => proxy.stop());
  };
}

function namespaceOut(scene: Scene): Promise<Verdict> {
  const { peer_ifname, host_ifname } = connectionOf(scene).namespace;
  return outward(scene, scene.guest, { inside: peer_ifname, outside: host_ifname });
}

async function terminaOut(scene: Scene): Promise<Verdict> {
  const client = await ApiClient.open(scene.lab.bus.outside);
  try {
    const running = await startTermina({ lab: scene.lab, client }, 5);
    const link = { inside: running.ifname, outside: running.link };
    return await outward(scene, running.guest, link).finally(() => running.stop());
  } finally {
    client.close();
  }
}

/** An address by SLAAC, by which the Internet sees it and the host reaches it, and a neighbour on the LAN does not. */
async function outward(
  { lab }: Scene,
  guest: Place,
  { inside, outside }: { readonly inside: string; readonly outside: string },
): Promise<Verdict> {
  const address = await globalAddress(guest, inside);
  const seen = await until('the Internet answers', () => seenAs(guest, internet.v6, 7, seconds(5))).catch(
    () => undefined,
  );
  const [host, neighbour] = [await reaches(lab.host, address), await pings(lab.lanhost, address)];
  const tcp = `${address} -> ${internet.v6} ${seen === undefined ? 'no answer' : `seen as ${seen === address ? 'itself' : seen}`}`;
  const reached = `the host reaches it: ${host ? 'yes' : 'no'}, a LAN neighbour unasked: ${neighbour ? 'yes' : 'no'}`;
  return { ok: seen === address && host && !neighbour, evidence: `${outside}: ${tcp}; ${reached}` };
}
