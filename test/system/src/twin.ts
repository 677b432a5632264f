import { seconds } from '@pp/base';
import {
  type Guest,
  type HostListing,
  hostListing,
  identify,
  lastSeen,
  listingDifference,
  type Place,
  ServiceUnit,
  standardLab,
  type StandardLab,
  stateDirectory,
} from '@pp/lab';
import type { Json } from '@pp/ports';
import { FileJournal } from '@pp/state';
import { cpSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UPLINK_ARGS } from './guest-rig';

/** A client's process, or a container's, and the one that stands for it in the twin. */
interface Pair {
  readonly here: Guest;
  readonly there: Guest;
}

/**
 * A second lab with the same uplinks, whose kernel knows nothing: a manager there makes anew what the first one's journal says, with a
 * lifeline for each namespace, and processes of its own in the place of those that the journal names. Both hosts must then look alike,
 * and so must the namespaces of these processes.
 */
export class Twin {
  readonly lab: StandardLab;
  readonly #walked: StandardLab;
  readonly #unit: ServiceUnit;
  readonly #pairs: readonly Pair[];

  private constructor(lab: StandardLab, walked: StandardLab, pairs: readonly Pair[]) {
    this.lab = lab;
    this.#walked = walked;
    this.#unit = new ServiceUnit(lab.host);
    this.#pairs = pairs;
  }

  static async of(walked: StandardLab, guests: readonly Guest[]): Promise<Twin> {
    const lab = await standardLab({ secondUplink: true });
    try {
      const pairs: Pair[] = [];
      for (const here of guests) pairs.push({ here, there: await lab.guest(here.name) });
      // Nobody has time to wait for it at every link of every step.
      const places = [walked.host, lab.host, ...pairs.flatMap(({ here, there }) => [here, there])];
      await Promise.all(places.map((place) => place.shell(NO_DAD)));
      return new Twin(lab, walked, pairs);
    } catch (fault) {
      await lab.close(); // else its processes would keep the test run alive
      throw fault;
    }
  }

  /** What differs; lines with `-` are missing from the walked host. */
  async difference(): Promise<readonly string[]> {
    this.#copyJournal();
    const manager = await this.#unit.start(UPLINK_ARGS);
    const look = async (): Promise<readonly string[]> => {
      const [here, there] = await Promise.all([
        listed(
          this.#walked,
          this.#pairs.map((pair) => pair.here),
        ),
        listed(
          this.lab,
          this.#pairs.map((pair) => pair.there),
        ),
      ]);
      const unsettled = [...here, ...there].filter((line) => line.includes('"tentative":true'));
      return [...listingDifference(there, here), ...unsettled];
    };
    const difference = await lastSeen('both hosts are alike', look, ({ length }) => length === 0, {
      deadline: seconds(30),
    });
    await manager.stop();
    this.#unit.forgetAll();
    return difference;
  }

  async close(): Promise<void> {
    this.#unit.close();
    await this.lab.close();
  }

  /** Of the guests it names, the processes are replaced; each namespace gets a lifeline that lives. */
  #copyJournal(): void {
    const [from, to] = [stateDirectory(this.#walked.host), stateDirectory(this.lab.host)];
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const journal = new FileJournal(join(to, 'journal'));
    const put = new Map<string, Json>();
    for (const [key, guest] of journal.load().entries) {
      if (key.startsWith('namespace/')) this.#unit.store(key.replace('/', '-'));
      const other = this.#withTwin(guest);
      if (other !== undefined) put.set(key, other);
    }
    journal.begin({ put, del: [] });
    journal.commit();
    journal.close();
  }

  /** undefined: it names no process. */
  #withTwin(entry: Json): Json | undefined {
    const guest = entry as { readonly [key: string]: Json };
    const pid = guest['client'] ? pidIn(guest['client']) : guest['container'] ? guest['id'] : undefined;
    if (typeof pid !== 'number') return undefined;
    const there = this.#pairs.find(({ here }) => here.pid === pid)?.there;
    if (there === undefined) throw new Error(`the journal names pid ${pid}, which is no guest of this walk`);
    const inode = statSync(`/proc/${there.pid}/ns/net`).ino;
    if (guest['client']) return { ...guest, client: { pid: there.pid, inode } };
    const startTime = identify(there.pid)?.startTicks ?? '';
    return { ...guest, id: there.pid, container: { inode, startTime } };
  }
}

const pidIn = (client: Json): number => (client as { readonly pid: number }).pid;

/** Duplicate address detection. */
const NO_DAD = 'for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done';

async function listed({ host }: StandardLab, guests: readonly Guest[]): Promise<HostListing> {
  const inside = guests.map(async (guest) =>
    (await comparable(guest))
      .filter((line) => !line.startsWith('netns'))
      .map((line) => `${guest.name}: ${line}`),
  );
  return (await Promise.all([comparable(host), ...inside])).flat();
}

/** Numbers that the kernel gives in order of arrival. */
const NUMBERS = /"(ifindex|link_index|link_netnsid|id)":\d+,?/g;

/** Bridges without a port, and the host's ends of ARC's veths, have addresses of chance; bridges take theirs from such a port. */
const CHANCE = /"(ifname|dev)":"(arcbr0|arc_\w+|veth[a-z]+\d)"/;
const MAC_OR_MADE_OF_IT = /fe80:(:[\da-f]{1,4}){4}|"[\da-f.]*[\da-f]{1,2}(:[\da-f]{1,2}){5}"/g;

const comparable = async (place: Place): Promise<HostListing> =>
  (await hostListing(place))
    .map((line) => line.replaceAll(NUMBERS, ''))
    .map((line) => (CHANCE.test(line) ? line.replaceAll(MAC_OR_MADE_OF_IT, '"random"') : line))
    .sort();
