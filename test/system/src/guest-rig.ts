import {
  ApiClient,
  type HostListing,
  hostListing,
  lastSeen,
  listingDifference,
  type Manager,
  type ManagerOptions,
  standardLab,
  type StandardLab,
  startManager,
} from '@pp/lab';

/** Both uplinks of the lab, and one that is awaited; helpers that relay IPv6 would find guests of their own accord. */
export const UPLINK_ARGS = [
  ...['--uplink', 'eth0=ethernet', '--uplink', 'eth1=ethernet', '--uplink', 'wlan0=wifi'],
  ...['--helpers', 'none'],
];

/** A link finds out whether somebody is plugged in, checks its IPv6 address, and grows routes and sysctls. */
const BY_ITSELF =
  /"NO-CARRIER",|,"LOWER_UP"|"linkdown"|"(?:operstate|state)":"\w+",|,?\{"family":"inet6"[^}]*\}|^. (route6|sysctl) .*$/g;

/** One lab for a test file, with the manager serving and a client of it; each test leaves the host as without guests. */
export class GuestRig {
  readonly lab: StandardLab;
  manager: Manager;
  client: ApiClient;
  #idle: HostListing = [];
  #idleFds = 0;

  private constructor(lab: StandardLab, manager: Manager, client: ApiClient) {
    this.lab = lab;
    this.manager = manager;
    this.client = client;
  }

  static async open(options: ManagerOptions = { args: UPLINK_ARGS }): Promise<GuestRig> {
    const lab = await standardLab({ secondUplink: true });
    try {
      const manager = await startManager(lab.host, options);
      const rig = new GuestRig(lab, manager, await ApiClient.open(lab.bus.outside));
      await rig.rememberIdle();
      return rig;
    } catch (fault) {
      await lab.close();
      throw fault;
    }
  }

  /** What is there now counts as the host without guests. */
  async rememberIdle(): Promise<void> {
    this.#idle = await hostListing(this.lab.host);
    const { release } = await this.client.connect({ pid: -1 }); // what the manager opens once and keeps is open from here on
    release();
    await this.expectUnchanged();
    this.#idleFds = await this.openFds();
  }

  /** Waits until the host is as without guests; the manager may have more descriptors open than it had. */
  expectUnchanged(): Promise<void> {
    return this.expectIdle(Number.POSITIVE_INFINITY);
  }

  async openFds(): Promise<number> {
    return Number(await this.lab.host.shell(`ls /proc/${this.manager.pid}/fd | wc -l`));
  }

  /** What a guest, or its going, has changed. */
  async difference(): Promise<readonly string[]> {
    return listingDifference(this.#idle, await hostListing(this.lab.host));
  }

  /** The same without what a new link does by itself in its first seconds. */
  async lastingDifference(): Promise<readonly string[]> {
    return (await this.difference()).map((line) => line.replaceAll(BY_ITSELF, '')).filter(Boolean);
  }

  /** Waits until the host is as without guests. `fds`: as many descriptors the manager may have open. */
  async expectIdle(fds = this.#idleFds): Promise<void> {
    const look = async () => ({
      difference: await this.difference(),
      more: Math.max(0, (await this.openFds()) - fds),
    });
    const isIdle = ({ difference, more }: Awaited<ReturnType<typeof look>>): boolean =>
      difference.length === 0 && more === 0;
    const seen = await lastSeen('the host is as without guests', look, isIdle);
    expect(seen).toEqual({ difference: [], more: 0 });
  }

  async close(): Promise<void> {
    this.client.close();
    await this.manager.stop();
    await this.lab.close();
  }
}
