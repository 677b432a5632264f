import { claimName, ExitCode, Refused, type Claim, type DaemonContext } from '@pp/daemon';
import { onlyOne } from '@pp/forwarding';

/**
 * Makes this the only ndproxy of its network namespace until it is closed: the guard and the routes there are those of one. Throws Refused
 * where there is another.
 */
export const onlyHere = (context: Pick<DaemonContext<unknown>, 'native' | 'log'>): Claim =>
  claimName(
    context,
    onlyOne('ndproxy'),
    (pid) =>
      new Refused(ExitCode.failed, `another ndproxy, pid ${pid}, serves this network namespace`, {
        advice: 'one serves all interfaces: name these to it with --group, or stop it',
      }),
  );
