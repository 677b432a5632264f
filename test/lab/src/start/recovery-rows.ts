import type { ConnectedNamespace } from '../ctl';
import { hostListing, type HostListing } from '../listing';
import { tapMissing } from '../lab-test';
import { program, startManager, STATE_INSIDE } from '../manager';
import type { Host } from '../host';
import { until } from '../until';
import { tcpThroughNat } from './connect-rows';
import { transferThroughKill } from './guest-rows';
import { connectGuest, connectionOf, differenceNow, type Scene } from './scene';
import type { Row, Verdict } from './table';

/** What is left when somebody dies: the manager by SIGKILL, its client, the manager by SIGTERM. */
export const RECOVERY_ROWS: readonly Row<Scene>[] = [
  { name: 'manager killed -9 and back', check: managerKilledAndBack },
  { name: 'namespace of a killed client gone', check: namespaceOfKilledClientGone },
  { name: 'transfer of a VM through kill -9', check: transferThroughKill, missing: tapMissing },
  { name: 'SIGTERM leaves nothing', check: sigtermLeavesNothing },
];

/** The lifeline died with the manager, so its namespace must be torn down at the next start; a new one must then work. */
async function managerKilledAndBack(scene: Scene): Promise<Verdict> {
  const { host } = scene.lab;
  const old = connectionOf(scene);
  await scene.manager.kill();
  scene.manager = await startManager(host);
  await host.ok(program('patchpanelctl'), ['status', '--state-dir', STATE_INSIDE]);
  const left = await settle(host, scene.idle);
  if (left.length > 0)
    return { ok: false, evidence: ['back, but not as after the first start:', ...left].join('\n') };
  await old.client.stop();
  const { namespace } = await connectGuest(scene);
  const tcp = await tcpThroughNat(scene);
  return {
    ...tcp,
    evidence: `${old.namespace.netns_name} torn down; ${namespace.netns_name}: ${tcp.evidence}`,
  };
}

async function namespaceOfKilledClientGone(scene: Scene): Promise<Verdict> {
  const { host } = scene.lab;
  const { namespace, client } = connectionOf(scene);
  const there = tracesOf(namespace, await hostListing(host));
  const unseen = ['link', 'addr', 'route4', 'nft', 'netns'].filter((kind) => !there.includes(kind));
  if (unseen.length > 0)
    return { ok: false, evidence: `${namespace.host_ifname} had no ${unseen.join(', ')} to begin with` };
  client.kill('SIGKILL');
  await client.exited;
  const left = await settle(host, scene.idle);
  const evidence =
    left.length > 0
      ? ['left behind:', ...left].join('\n')
      : `${namespace.host_ifname}: ${there.join(', ')} gone`;
  return { ok: left.length === 0, evidence };
}

/** The kinds of facts that speak of a namespace. */
function tracesOf({ host_ifname, netns_name }: ConnectedNamespace, listing: HostListing): readonly string[] {
  const lines = listing.filter((line) =>
    [host_ifname, netns_name].some((name) => line.includes(`"${name}"`)),
  );
  return [...new Set(lines.map((line) => line.split(' ')[0] ?? ''))];
}

async function sigtermLeavesNothing(scene: Scene): Promise<Verdict> {
  const { code, signal, stderr } = await scene.manager.stop();
  const left = await settle(scene.lab.host, scene.before);
  const end = `exit ${code ?? signal ?? '?'}`;
  if (code !== 0) return { ok: false, evidence: [end, ...left, stderr].join('\n') };
  if (left.length > 0) return { ok: false, evidence: [`${end}; left behind or lost:`, ...left].join('\n') };
  return {
    ok: true,
    evidence: `${end}; links, addresses, routes, rules, nft, sysctls, processes as before (${scene.before.length} facts)`,
  };
}

/** Waits until the host is as wanted; what still differs when patience ends. */
async function settle(host: Host, wanted: HostListing): Promise<readonly string[]> {
  try {
    await until('the host is as it was', async () => (await differenceNow(host, wanted)).length === 0);
    return [];
  } catch {
    return differenceNow(host, wanted);
  }
}
