import { KernelError } from '@pp/base';
import { linkSysctl } from '@pp/datapath';
import type { Native } from '@pp/native';
import type { GuestIpv6 } from '@pp/ports';
import { NetnsNames } from './netns-names';
import { SysctlFiles } from './sysctl-files';

type Calls = ConstructorParameters<typeof NetnsNames>[0] & Pick<Native, 'runInNetns'>;

/** By the sysctl disable_ipv6 of the one link: the client may have others, and their addresses are its own. */
export class LinuxGuestIpv6 implements GuestIpv6 {
  readonly #names: NetnsNames;

  constructor(
    private readonly native: Calls,
    netnsDirectory = '/run/netns',
  ) {
    this.#names = new NetnsNames(native, netnsDirectory);
  }

  restart(netns: string, ifname: string): void {
    const fd = this.#names.open(netns);
    try {
      const sysctls = new SysctlFiles((inside) => this.native.runInNetns(fd, inside));
      const key = linkSysctl('ipv6', ifname, 'disable_ipv6');
      const found = sysctls.read(key);
      if (found === null) throw new KernelError('ENOENT', `ipv6.restart ${netns} ${ifname}`);
      if (found !== '0') return;
      sysctls.write(key, '1');
      sysctls.write(key, '0');
    } finally {
      this.native.closeFd(fd);
    }
  }
}
