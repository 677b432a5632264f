import type { Native } from '@pp/native';
import type { NetlinkClient, NetlinkJobs } from '@pp/netlink';
import type { InHost } from './host-netns';
import type { Ifindexes } from './ifindexes';
import type { NetnsNames } from './netns-names';
import type { SysctlFiles } from './sysctl-files';

/** What the runs of a LinuxKernel work with. */
export interface Context {
  readonly native: Native;
  readonly inHost: InHost;
  /** rtnetlink in the host's namespace. */
  readonly route: NetlinkClient;
  /** What makes links there, and sets up their far ends. */
  readonly jobs: NetlinkJobs;
  readonly ifindexes: Ifindexes;
  /** nfnetlink there. */
  readonly netfilter: NetlinkClient;
  readonly netns: NetnsNames;
  readonly sysctls: SysctlFiles;
  /** ifindex by name of links that we made or observed. BOUNDED: by our links. An entry may be out of date: others delete links too. */
  readonly own: Map<string, number>;
}
