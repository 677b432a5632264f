import type { Native } from '@pp/native';
import type { NetlinkClient } from '@pp/netlink';
import type { InHost } from './host-netns';
import type { NetnsNames } from './netns-names';
import type { SysctlFiles } from './sysctl-files';

/** What the runs of a LinuxKernel work with. */
export interface Context {
  readonly native: Native;
  readonly inHost: InHost;
  /** rtnetlink in the host's namespace. */
  readonly route: NetlinkClient;
  /** nfnetlink there. */
  readonly netfilter: NetlinkClient;
  readonly netns: NetnsNames;
  readonly sysctls: SysctlFiles;
  /** ifindex by name of links that we made or observed. BOUNDED: by our links. An entry may be out of date: others delete links too. */
  readonly own: Map<string, number>;
}
