import { spawnSync } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { seconds } from '@pp/base';
import type { Child } from '../child';
import type { Place } from '../place';
import { until } from '../until';

/** Installed, or unpacked by `tools/run test`: as an installed package it would take over /etc/resolv.conf. */
const PROGRAMS = ['/', join(homedir(), '.cache', 'patchpanel', 'systemd-resolved')].map((root) =>
  join(root, 'lib/systemd/systemd-resolved'),
);

const runs = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

/** Why it cannot be run here; undefined where it can. */
export const resolvedMissing = (): string | undefined =>
  PROGRAMS.some(runs) ? undefined : 'systemd-resolved';

export interface ResolvedOptions {
  /** Its name on the network, without ".local". */
  readonly hostName: string;
  /** Links on which it does mDNS. */
  readonly links: readonly string[];
}

/** systemd-resolved with MulticastDNS=yes in a network namespace: it answers for its host's name, and asks for others. It ends with its place. */
export class Resolved {
  private constructor(
    private readonly daemon: Child,
    private readonly place: Place,
  ) {}

  static async start(place: Place, { hostName, links }: ResolvedOptions): Promise<Resolved> {
    const daemon = place.spawn('unshare', ['--mount', '--uts', 'sh', '-euc', script(hostName, links)]);
    await daemon.line(
      'sign of having started',
      (line) => line.includes('Using system hostname') || undefined,
    );
    const resolved = new Resolved(daemon, place);
    await resolved.resolve(`${hostName}.local`);
    return resolved;
  }

  /** IPv4 addresses of a name, by way of its stub resolver. */
  resolve(name: string): Promise<readonly string[]> {
    return until(
      `${this.place.name} resolves ${name}`,
      async () => {
        const { stdout } = await this.place.run('dig', [
          '+short',
          '+time=5',
          '+tries=1',
          '@127.0.0.53',
          name,
        ]);
        const addresses = stdout.split('\n').filter((line) => /^[\d.]+$/.test(line));
        return addresses.length > 0 && addresses.sort();
      },
      { deadline: seconds(40) },
    );
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
  }
}

/** What networkd would say of the links is written for it, and the user that it turns into is made up. */
const script = (hostName: string, links: readonly string[]): string => `
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/resolve /run/systemd/resolved.conf.d /run/systemd/netif/links
for table in passwd group; do cp /etc/$table /run/$table; done
echo 'systemd-resolve:x:996:996::/:/usr/sbin/nologin' >> /run/passwd
echo 'systemd-resolve:x:996:' >> /run/group
for table in passwd group; do mount --bind /run/$table /etc/$table; done
chown systemd-resolve:systemd-resolve /run/systemd/resolve
cat > /run/systemd/resolved.conf.d/lab.conf << 'END'
[Resolve]
MulticastDNS=yes
LLMNR=no
DNS=
FallbackDNS=
END
for link in ${links.join(' ')}; do
  cat > /run/systemd/netif/links/$(cat /sys/class/net/$link/ifindex) << 'END'
ADMIN_STATE=configured
OPER_STATE=routable
MDNS=yes
END
done
ip link set lo up
hostname ${hostName}
exec ${PROGRAMS.find(runs) ?? 'systemd-resolved'}`;
