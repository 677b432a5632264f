import { hostIpv6Of, DISABLE_IPV6 } from '@pp/ports';
import type { HostIpv6 } from '@pp/ports';
import type { InHost } from './host-netns';
import { SysctlFiles } from './sysctl-files';

const here: InHost = (look) => look();

/** Of the network namespace that this process is in, as it is now. */
export const readHostIpv6 = (): HostIpv6 => hostIpv6Of(new SysctlFiles(here).read(DISABLE_IPV6));
