import { causeChain } from '@pp/base';
import { ExitCode, Refused } from './refused';

/** For the `catch` of a service that cannot do without the bus; the cause says where it was looked for. `instead`: what else helps, after "or". */
export const noBus =
  (instead = 'set DBUS_SYSTEM_BUS_ADDRESS') =>
  (cause: unknown): never => {
    const advice = `start the D-Bus system bus, or ${instead}`;
    throw new Refused(ExitCode.failed, causeChain(cause), { advice, cause });
  };
