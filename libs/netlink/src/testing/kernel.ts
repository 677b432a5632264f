import { release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadNative } from '@pp/native';
import type { Native, NetlinkFamily } from '@pp/native';
import { NetlinkClient } from '../client';
import { addAddress } from '../rt/address';
import { addLink, getLink } from '../rt/link-requests';
import { netlinkIn } from '../socket';
import type { OpenNetlink } from '../socket';

/** A network namespace of the test's own, gone when it is closed. */
export class TestNetns {
  readonly fd: number;
  readonly #clients: NetlinkClient[] = [];

  constructor(readonly native: Native) {
    this.fd = native.createNetns();
  }

  open(family: NetlinkFamily): OpenNetlink {
    return netlinkIn(this.native, family, this.fd);
  }

  client(family: NetlinkFamily): NetlinkClient {
    const client = new NetlinkClient(this.open(family));
    this.#clients.push(client);
    return client;
  }

  /** ifindex of a new br0, up, 10.0.0.1/24 and fd00::1/64. */
  async bridge(client: NetlinkClient): Promise<number> {
    await client.request(addLink({ ifname: 'br0', up: true, kind: { name: 'bridge' } }));
    const { ifindex } = await client.get(getLink('br0'));
    await client.request(addAddress(ifindex, '10.0.0.1/24'));
    await client.request(addAddress(ifindex, 'fd00::1/64', { dad: false }));
    return ifindex;
  }

  close(): void {
    for (const client of this.#clients) client.close();
    this.native.closeFd(this.fd);
  }
}

/** The tests of `suite` run where network namespaces can be made; elsewhere they are skipped, and the name says why. */
export function describeOnKernel(name: string, suite: (native: Native) => void): void {
  const usable = tryKernel();
  if (typeof usable === 'string') describe.skip(`${name} (needs ${usable})`, () => { test.todo('run it as root'); }); // prettier-ignore
  else describe(name, () => { suite(usable); }); // prettier-ignore
}

function tryKernel(): Native | string {
  try {
    const native = loadNative();
    new TestNetns(native).close();
    return native;
  } catch (error) {
    return `network namespaces: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Why something cannot be tried on this kernel, which is older; undefined where it can. */
export function kernelMissing(major: number, minor: number): string | undefined {
  const [ownMajor = 0, ownMinor = 0] = release().split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
    ? undefined
    : `Linux ${major}.${minor}`;
}

const POLLS = 4000;

/** Waits for a condition by looking again and again; fails when it stays false (20 s). */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let poll = 0; poll < POLLS; poll += 1) {
    if (condition()) return;
    await sleep(5);
  }
  throw new Error(`never came true: ${what}`);
}
