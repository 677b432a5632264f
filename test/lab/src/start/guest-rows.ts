import { ApiClient } from '../api-client';
import { startArcContainer, startArcVm, startPlugin, startTermina } from '../guest-kinds';
import type { RunningGuest, ServedLab } from '../guest-kinds';
import { tapMissing } from '../lab-test';
import { startManager } from '../manager';
import { seenAs, startPeerEcho, UNWANTED } from '../services/peer-echo';
import { reaches } from '../services/probes';
import { startTransfer } from '../services/transfer';
import { STANDARD } from '../standard-lab';
import type { Scene } from './scene';
import type { Row, Verdict } from './table';

const { internet, lanhost, host: uplink } = STANDARD;
const MEGABYTE = 1_000_000;

/** Guests with a Linux network stack of their own behind a TAP or a veth; each is stopped again. */
export const GUEST_ROWS: readonly Row<Scene>[] = [
  {
    name: 'Termina VM out through NAT',
    check: whileRunning((served) => startTermina(served, 5), outward),
    missing: tapMissing,
  },
  {
    name: 'Plugin VM out through NAT',
    check: whileRunning((served) => startPlugin(served, 6), outward),
    missing: tapMissing,
  },
  {
    name: 'ARC VM out through NAT',
    check: whileRunning((served) => startArcVm(served, 7), outward),
    missing: tapMissing,
  },
  { name: 'ARC container reached from the LAN', check: arcReached },
];

type Check = (running: RunningGuest, scene: Scene) => Promise<Verdict>;

export function whileRunning(
  start: (served: ServedLab) => Promise<RunningGuest>,
  check: Check,
): (scene: Scene) => Promise<Verdict> {
  return async (scene) => {
    const client = await ApiClient.open(scene.lab.bus.outside);
    try {
      const running = await start({ lab: scene.lab, client });
      return await check(running, scene).finally(() => running.stop());
    } finally {
      client.close();
    }
  };
}

async function outward({ guest, link, address, gateway }: RunningGuest): Promise<Verdict> {
  const [toGateway, seen] = [await reaches(guest, gateway), await seenAs(guest, internet.v4)];
  const ping = `ping ${gateway} ${toGateway ? 'answered' : 'no answer'}`;
  const tcp = `${address} -> ${internet.v4} ${seen === undefined ? 'no answer' : `seen as ${seen}`}`;
  return { ok: toGateway && seen === uplink.v4, evidence: `${link}: ${ping}; ${tcp}` };
}

/** Without ARC nobody answers at that port, so it is the guest who does. */
async function arcReached(scene: Scene): Promise<Verdict> {
  const { lanhost: neighbour } = scene.lab;
  const text = (seen: string | undefined): string => (seen === undefined ? 'no answer' : `seen as ${seen}`);
  const before = await seenAs(neighbour, uplink.v4, 7, UNWANTED);
  const reached = whileRunning(startArcContainer, async ({ guest, address }) => {
    const server = await startPeerEcho(guest, ['tcp:7']);
    const seen = await seenAs(neighbour, uplink.v4).finally(() => server.stop());
    const evidence = `${lanhost.v4} -> ${uplink.v4}:7 ${text(before)} before, ${text(seen)} by ${address}`;
    return { ok: before === undefined && seen === lanhost.v4, evidence };
  });
  return reached(scene);
}

/** The TAP stays, and with it the connection; the next manager finds both. */
export const transferThroughKill: (scene: Scene) => Promise<Verdict> = whileRunning(
  (served) => startTermina(served, 5),
  async ({ guest, link }, scene) => {
    const transfer = await startTransfer(guest, internet.v4);
    await transfer.goesOn(8 * MEGABYTE);
    await scene.manager.kill();
    await transfer.goesOn(4 * MEGABYTE);
    scene.manager = await startManager(scene.lab.host);
    await transfer.goesOn(8 * MEGABYTE);
    const megabytes = Math.floor((await transfer.finish()) / MEGABYTE);
    return {
      ok: true,
      evidence: `${link}: ${megabytes} MB to ${internet.v4} and back, every number in its place`,
    };
  },
);
