import { accessSync, constants } from 'node:fs';
import { ExitCode, Refused } from '@pp/daemon';

const ANY_OF_THEM = '/proc/sys/net/ipv4/ip_forward';

/** Without them no guest reaches anything: throws Refused, before anything is touched. */
export function expectWritableSysctls(): void {
  try {
    accessSync(ANY_OF_THEM, constants.W_OK);
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    throw new Refused(
      ExitCode.failed,
      `/proc/sys cannot be written (${code}): run the manager as root where it is mounted writable (systemd: ProtectKernelTunables=no, docker: --privileged)`,
    );
  }
}
