import { askStatus } from '@pp/daemon';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seconds } from '@pp/base';
import type { UdpHandle } from '@pp/native';
import {
  ApiClient,
  repository,
  standardLab,
  startManager,
  stateDirectory,
  until,
  type Child,
  type Manager,
  type Place,
  type StandardLab,
} from '@pp/lab';

/** Reached by the router without a VPN, and by either VPN. */
export const FAR = '198.51.100.10';
const PORT = '9000';
// asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_MARK = 36;
/** uid of the session's user. */
export const SESSION = '1000';

/** A VPN of Debian's openvpn: its server is on the Internet, and its client on the host covers the default route. */
export interface Vpn {
  readonly ifname: string;
  readonly net: string;
  readonly port: string;
}
export const VPNS = {
  first: { ifname: 'tun1', net: '10.8.0', port: '1194' },
  second: { ifname: 'tun2', net: '10.9.0', port: '1195' },
} as const satisfies Readonly<Record<string, Vpn>>;

interface RigStatus {
  readonly uplinks: readonly { readonly ifname: string }[];
  readonly vpn: { readonly ifname: string; readonly lockdown: boolean };
}

/** The standard lab with two VPNs to be had, a manager that knows of both, and a count of what passes the router outside of them. */
export class VpnRig {
  readonly #directory: string;
  readonly #args: readonly string[];
  readonly #clients = new Map<string, Child>(); // BOUNDED: by VPNS
  manager: Manager;

  private constructor(
    readonly lab: StandardLab,
    manager: Manager,
    readonly client: ApiClient,
    directory: string,
    args: readonly string[],
  ) {
    this.manager = manager;
    this.#directory = directory;
    this.#args = args;
  }

  static async open(options: { readonly args?: readonly string[] } = {}): Promise<VpnRig> {
    const { args = ['--session-user', SESSION, '--helpers', 'none'] } = options;
    const lab = await standardLab({ secondUplink: true });
    const directory = mkdtempSync(join(tmpdir(), 'pp-vpn-'));
    try {
      await setUpFarSide(lab);
      compile(join(directory, 'traffic'));
      execFileSync('openvpn', ['--genkey', 'secret', join(directory, 'key')]);
      for (const vpn of Object.values(VPNS)) await startServer(lab, directory, vpn);
      const manager = await startManager(lab.host, { args });
      return new VpnRig(lab, manager, await ApiClient.open(lab.bus.outside), directory, args);
    } catch (fault) {
      rmSync(directory, { recursive: true, force: true });
      await lab.close();
      throw fault;
    }
  }

  /** Resolves when the manager leads the user's traffic there. */
  async up(vpn: Vpn): Promise<void> {
    const args = [
      ...clientArgs(this.#directory, vpn),
      '--redirect-gateway',
      'def1',
      '--script-security',
      '2',
    ];
    const client = this.lab.host.spawn('openvpn', args);
    this.#clients.set(vpn.ifname, client);
    await isUp(client);
    await this.expectVpn(vpn.ifname);
  }

  /** An app of Android has a VPN, and Android leads into it what comes by its management link. Resolves when it is up there. */
  async upInAndroid(android: Place, vpn: Vpn): Promise<void> {
    const client = android.spawn('openvpn', clientArgs(this.#directory, vpn));
    this.#clients.set(vpn.ifname, client);
    await isUp(client);
    await android.shell(`echo 1 > /proc/sys/net/ipv4/ip_forward
      ip route add default dev ${vpn.ifname} table 100
      ip rule add iif arc0 lookup 100
      nft add table ip app
      nft add chain ip app out '{ type nat hook postrouting priority srcnat; }'
      nft add rule ip app out oifname ${vpn.ifname} masquerade`);
  }

  /** `stop`: as its user ends it; `kill`: lost. Resolves when the manager leads nothing there any more. */
  async down(vpn: Vpn, how: 'stop' | 'kill'): Promise<void> {
    const client = this.#clients.get(vpn.ifname);
    this.#clients.delete(vpn.ifname);
    if (how === 'stop') await client?.stop();
    client?.kill('SIGKILL');
    await client?.exited;
    await until(`${vpn.ifname} is gone`, async () => (await this.status()).vpn.ifname !== vpn.ifname);
  }

  async expectVpn(ifname: string): Promise<void> {
    const isThere = async (): Promise<boolean> => (await this.status()).vpn.ifname === ifname;
    await until(`the VPN is "${ifname}"`, isThere, { deadline: seconds(20) });
  }

  /** The names, best first. */
  async expectUplinks(names: string): Promise<void> {
    const isSo = async (): Promise<boolean> =>
      (await this.status()).uplinks.map(({ ifname }) => ifname).join(' ') === names;
    await until(`the uplinks are "${names}"`, isSo);
  }

  async status(): Promise<RigStatus> {
    const socket = join(stateDirectory(this.lab.host), 'patchpanel-manager.sock');
    return JSON.parse(await askStatus('patchpanel-manager', socket)) as RigStatus;
  }

  async restart(how: 'kill' | 'stop'): Promise<void> {
    await this.manager[how]();
    this.manager = await startManager(this.lab.host, { args: this.#args });
  }

  /** A UDP socket of the host, as a client of the API would have one. */
  udpSocket(): UdpHandle {
    const { native } = this.client;
    const netns = native.openNetns({ pid: this.lab.host.pid });
    const ignore = (): void => undefined;
    try {
      return native.runInNetns(netns, () =>
        native.openUdp({ family: 'ipv4', address: '0.0.0.0', port: 0, onDatagrams: ignore, onError: ignore }),
      );
    } finally {
      native.closeFd(netns);
    }
  }

  markOf(fd: number): number {
    const bytes = this.client.native.getSocketOption(fd, SOL_SOCKET, SO_MARK, 4);
    return Buffer.from(bytes).readUInt32LE();
  }

  setMark(fd: number, mark: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(mark);
    this.client.native.setSocketOption(fd, SOL_SOCKET, SO_MARK, bytes);
  }

  /** A stream of `rate` datagrams a second to the far side, for so long; prints how many the kernel took. */
  traffic(place: Place, ms: number, rate: number, uid?: string): Child {
    const run = [join(this.#directory, 'traffic'), 'udp-paced', FAR, PORT, String(ms), '64', String(rate)];
    const [program = '', ...args] =
      uid === undefined ? run : ['setpriv', '--reuid', uid, '--clear-groups', ...run];
    return place.spawn(program, args);
  }

  /** Packets to the far side that passed the router in the open since the last look. */
  async leaked(): Promise<number> {
    const text = await this.lab.router.ok('nft', ['reset', 'counter', 'inet', 'far', 'open']);
    return Number(/packets (\d+)/.exec(text)?.[1]);
  }

  /** Packets that came out of a VPN on its far side. */
  async tunnelled({ ifname }: Vpn): Promise<number> {
    const text = await this.lab.internet.ok('cat', [`/sys/class/net/${ifname}/statistics/rx_packets`]);
    return Number(text);
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) client.kill('SIGKILL');
    this.client.close();
    await this.manager.stop();
    await this.lab.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** The far address is on the Internet; the router counts and drops what comes for it in the open. */
async function setUpFarSide({ internet, router }: StandardLab): Promise<void> {
  await internet.shell(`ip addr add ${FAR}/32 dev lo`);
  await router.shell(`ip route add ${FAR}/32 via 203.0.113.10
    nft add table inet far
    nft add counter inet far open
    nft add chain inet far forward '{ type filter hook forward priority 0; }'
    nft add rule inet far forward ip daddr ${FAR} counter name open drop`);
}

function compile(to: string): void {
  const source = repository('test', 'bench', 'src', 'tools', 'traffic.c');
  execFileSync('cc', ['-O2', '-D_GNU_SOURCE', '-o', to, source]);
}

/** Without keys that are negotiated: a tunnel is up as soon as both ends run. */
const common = (directory: string, { ifname, port }: Vpn): readonly string[] => [
  ...['--dev', ifname, '--dev-type', 'tun', '--proto', 'udp', '--port', port, '--verb', '1'],
  ...['--secret', join(directory, 'key'), '--cipher', 'AES-256-CBC', '--auth', 'SHA256'],
];

async function startServer({ internet }: StandardLab, directory: string, vpn: Vpn): Promise<void> {
  const args = [...common(directory, vpn), '--float', '--ifconfig', `${vpn.net}.1`, `${vpn.net}.2`];
  await isUp(internet.spawn('openvpn', args));
}

/** The last that it says before it carries packets: its link, routes and socket are there. That it is connected it says with the first. */
async function isUp(openvpn: Child): Promise<void> {
  const said = 'link remote: ';
  await openvpn.line(said, (line) => (line.includes(said) ? true : undefined), seconds(20));
}

const clientArgs = (directory: string, vpn: Vpn): readonly string[] => [
  ...common(directory, vpn),
  ...['--remote', '203.0.113.10', '--nobind', '--ifconfig', `${vpn.net}.2`, `${vpn.net}.1`],
];
