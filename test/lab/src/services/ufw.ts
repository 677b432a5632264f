import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '../host';

/** Unpacked by `tools/run test`: an installed one would be the machine's own firewall. */
const TREE = join(homedir(), '.cache', 'patchpanel', 'ufw');

/** Why it cannot be run here; undefined where it can. */
export const ufwMissing = (): string | undefined =>
  [join(TREE, 'usr/sbin/ufw'), '/usr/bin/python3', '/usr/sbin/iptables'].every((path) => existsSync(path))
    ? undefined
    : 'ufw';

/** Debian's ufw as it is when it has been installed and enabled: the host sees its files laid over its own. */
export async function enableUfw(host: Host): Promise<void> {
  await host.shell(`
    for each in usr etc; do
      mkdir -p /run/ufw/$each/upper /run/ufw/$each/work
      mount -t overlay -o lowerdir=${TREE}/$each:/$each,upperdir=/run/ufw/$each/upper,workdir=/run/ufw/$each/work overlay /$each
    done
    cp -r ${TREE}/lib/ufw /lib
    cp /usr/share/ufw/iptables/*.rules /usr/share/ufw/*.init /usr/share/ufw/ufw.conf /etc/ufw
    ufw --force enable`);
}
