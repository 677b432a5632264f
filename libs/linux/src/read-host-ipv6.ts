import { hostIpv6Of } from '@pp/ports';
import type { HostIpv6 } from '@pp/ports';
import { SysctlFiles } from './sysctl-files';

/** Of the network namespace that this process is in, as it is now. */
export function readHostIpv6(): HostIpv6 {
  const sysctls = new SysctlFiles((look) => look());
  return hostIpv6Of((key) => sysctls.read(key));
}
