import { seconds } from '@pp/base';
import { ApiClient } from '../api-client';
import { startTermina, type RunningGuest } from '../guest-kinds';
import { secondUidMissing, tapMissing } from '../lab-test';
import { program } from '../manager';
import { Avahi } from '../services/avahi';
import { STANDARD } from '../standard-lab';
import { until } from '../until';
import type { Scene } from './scene';
import type { Row, Verdict } from './table';

const { lanhost, host: uplink } = STANDARD;

/** Services found by avahi through mcastfwd, which does what the manager says for as long as a row is checked. */
export const DISCOVERY_ROWS: readonly Row<Scene>[] = [
  { name: 'LAN service found from a VM, by name', check: withForwarder(lanServiceFound), missing },
  { name: 'VM’s service found from the LAN, by name', check: withForwarder(guestServiceFound), missing },
];

/** avahi-daemon has a directory of its own user. */
function missing(): string | undefined {
  return tapMissing() ?? secondUidMissing();
}

/** An avahi on the LAN and one in a VM. */
interface Both {
  readonly onLan: Avahi;
  readonly inGuest: Avahi;
  readonly running: RunningGuest;
}

function withForwarder(check: (both: Both) => Promise<Verdict>): (scene: Scene) => Promise<Verdict> {
  return async ({ lab }) => {
    const client = await ApiClient.open(lab.bus.outside);
    const forwarder = lab.host.spawn(program('mcastfwd'), ['--state-dir', '/run/lab/mcastfwd']);
    try {
      await forwarder.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
      const running = await startTermina({ lab, client }, 5);
      return await withAvahis(lab, running, check).finally(() => running.stop());
    } finally {
      await forwarder.stop();
      client.close();
    }
  };
}

async function withAvahis(
  { lanhost: neighbour }: Scene['lab'],
  running: RunningGuest,
  check: (both: Both) => Promise<Verdict>,
): Promise<Verdict> {
  const onLan = await Avahi.start(neighbour, { hostName: 'lanbox' });
  try {
    const inGuest = await Avahi.start(running.guest, { hostName: 'vmbox' });
    return await check({ onLan, inGuest, running }).finally(() => inGuest.stop());
  } finally {
    await onLan.stop();
  }
}

async function lanServiceFound({ onLan, inGuest, running }: Both): Promise<Verdict> {
  await onLan.publish('Lan Printer', '_ipp._tcp', 631);
  const seen = await found(inGuest, '_ipp._tcp');
  const name = await inGuest.resolve('lanbox.local', '-4');
  return {
    ok: seen.includes(`Lan Printer ${lanhost.v4}:631`) && name === lanhost.v4,
    evidence: `${running.link}: avahi finds ${seen.join(', ') || 'nothing'}; lanbox.local is ${name ?? 'unknown'}`,
  };
}

/** By the host's address, which stands for the VM on the LAN. */
async function guestServiceFound({ onLan, inGuest, running }: Both): Promise<Verdict> {
  await inGuest.publish('VM Web', '_http._tcp', 80);
  const seen = await found(onLan, '_http._tcp');
  const name = await onLan.resolve('vmbox.local', '-4');
  return {
    ok: seen.includes(`VM Web ${uplink.v4}:80`) && name === uplink.v4,
    evidence: `${running.link}: avahi finds ${seen.join(', ') || 'nothing'}; vmbox.local is ${name ?? 'unknown'}`,
  };
}

/** By IPv4: name, address and port. */
async function found(avahi: Avahi, type: string): Promise<readonly string[]> {
  const services = async (): Promise<readonly string[]> => {
    const all = await avahi.browse(type);
    const ipv4 = all.filter(({ address }) => !address.includes(':'));
    return [...new Set(ipv4.map(({ name, address, port }) => `${name} ${address}:${port}`))];
  };
  const first = async (): Promise<readonly string[] | undefined> => {
    const seen = await services();
    return seen.length > 0 ? seen : undefined;
  };
  return until(`${avahi.place.name} finds ${type}`, first, { deadline: seconds(30) }).catch(() => []);
}
