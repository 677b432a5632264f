import { claimName, ExitCode, Refused, type Claim, type DaemonContext } from '@pp/daemon';

/**
 * Makes this the only manager of its network namespace until it is closed: whatever bears our tags there, and is not in its journal, it takes
 * away. Throws Refused where there is another.
 */
export const onlyHere = (context: Pick<DaemonContext<unknown>, 'native' | 'log'>): Claim =>
  claimName(
    context,
    { name: '@patchpanel_manager', right: 'CAP_NET_ADMIN' },
    (pid) =>
      new Refused(ExitCode.failed, `another patchpanel-manager, pid ${pid}, serves this network namespace`, {
        advice: 'its guests would lose their links: stop it first',
      }),
  );
