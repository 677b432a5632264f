import { startTermina, type RunningGuest } from '../guest-kinds';
import type { Host } from '../host';
import { tapMissing } from '../lab-test';
import { program, STATE_INSIDE } from '../manager';
import type { Place } from '../place';
import { askByBroadcast, startBroadcastListener } from '../services/broadcast';
import { STANDARD } from '../standard-lab';
import { until } from '../until';
import { whileRunning } from './guest-rows';
import type { Scene } from './scene';
import type { Row, Verdict } from './table';

const PORT = 6969;

/** IPv4 broadcasts between the LAN and a VM, by way of bcast-fwd, which follows the manager. */
export const BROADCAST_ROWS: readonly Row<Scene>[] = [
  {
    name: 'broadcasts to and from a VM',
    check: whileRunning((served) => startTermina(served, 5), bothWays),
    missing: tapMissing,
  },
];

async function bothWays({ guest, link }: RunningGuest, { lab: { host, lanhost } }: Scene): Promise<Verdict> {
  const relay = host.spawn(program('bcast-fwd'), ['--state-dir', STATE_INSIDE]);
  try {
    await until(`bcast-fwd serves eth0 and ${link}`, async () => {
      const served = await servedBy(host);
      return ['eth0', link].every((ifname) => served.includes(ifname));
    });
    const heardByVm = await hears(guest, lanhost);
    const heardByLan = await hears(lanhost, guest);
    const answered = `answered by ${heardByLan.answer ?? 'nobody'}`;
    return {
      ok:
        heardByVm.from === STANDARD.lanhost.v4 &&
        heardByLan.from === STANDARD.host.v4 &&
        heardByLan.answer === STANDARD.lanhost.v4,
      evidence: `${link}: the LAN neighbour's heard from ${heardByVm.from}; the VM's heard from ${heardByLan.from}, ${answered}`,
    };
  } finally {
    await relay.stop();
  }
}

/** Status names what is awaited, too. */
async function servedBy(host: Host): Promise<readonly string[]> {
  const text = await host.ok(program('bcast-fwd'), ['status', '--json', '--state-dir', STATE_INSIDE]);
  const { interfaces } = JSON.parse(text) as {
    readonly interfaces: readonly { readonly ifname: string; readonly state: string }[];
  };
  return interfaces.filter(({ state }) => state === 'relayed').map(({ ifname }) => ifname);
}

/** Who is heard to have sent what `speaker` broadcasts, and who answers it. */
async function hears(
  listener: Place,
  speaker: Place,
): Promise<{ readonly from: string; readonly answer: string | undefined }> {
  const service = await startBroadcastListener(listener, PORT);
  const answer = await askByBroadcast(speaker, PORT);
  const { stdout } = await service.stop();
  return { from: /^from (\S+)/m.exec(stdout)?.[1] ?? 'nobody', answer };
}
