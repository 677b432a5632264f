import { causeChain } from '@pp/base';
import { ExitCode, Refused } from '@pp/daemon';
import { DBusError } from '@pp/dbus';

interface Meaning {
  readonly exitCode: ExitCode;
  /** Where the error's own sentence is about D-Bus and not about us. */
  readonly sentence?: string;
  /** What the reader can do next. */
  readonly advice: string;
}

const STATUS_TELLS = 'patchpanelctl status shows what there is';
const LOOK_AT_LOG = "look at the manager's log: journalctl -u patchpanel-manager";
const DENIED: Meaning = {
  exitCode: ExitCode.denied,
  advice: 'run this as root, or as a user whom the bus policy allows',
};
const UNREACHABLE: Meaning = {
  exitCode: ExitCode.unreachable,
  advice: 'start it: systemctl start patchpanel-manager',
};

const ABSENT: Meaning = { ...UNREACHABLE, sentence: 'no manager runs on this bus' };

/** By the end of org.chromium.PatchPanel.Error.*. */
const OF_MANAGER: Readonly<Record<string, Meaning>> = {
  InvalidArgument: { exitCode: ExitCode.failed, advice: 'see patchpanelctl --help' },
  NotFound: { exitCode: ExitCode.notFound, advice: STATUS_TELLS },
  AlreadyExists: { exitCode: ExitCode.conflict, advice: STATUS_TELLS },
  ResourceExhausted: {
    exitCode: ExitCode.failed,
    advice: 'end what is not needed, or start the manager with --pool',
  },
  PermissionDenied: DENIED,
  Failed: { exitCode: ExitCode.failed, advice: LOOK_AT_LOG },
};

/** By the end of org.freedesktop.DBus.Error.*: the bus or the connection speaks, not the manager. */
const OF_BUS: Readonly<Record<string, Meaning>> = {
  AccessDenied: { ...DENIED, sentence: 'the bus policy does not let this user ask for that' },
  ServiceUnknown: ABSENT,
  NameHasNoOwner: ABSENT,
  Disconnected: UNREACHABLE,
  NoReply: { exitCode: ExitCode.unreachable, advice: LOOK_AT_LOG },
};

const OTHERWISE: Meaning = { exitCode: ExitCode.failed, advice: LOOK_AT_LOG };

/** What an error reply means for the operator; anything else is a bug and stays as it is. */
export function meaningOf(fault: unknown): unknown {
  if (!(fault instanceof DBusError)) return fault;
  const { exitCode, advice, sentence = fault.message } = meaningOfName(fault.name);
  return new Refused(exitCode, sentence, { advice, cause: fault });
}

function meaningOfName(name: string): Meaning {
  const [, ofManager] = /^org\.chromium\.PatchPanel\.Error\.(\w+)$/.exec(name) ?? [];
  if (ofManager !== undefined) return OF_MANAGER[ofManager] ?? OTHERWISE;
  const [, ofBus] = /^org\.freedesktop\.DBus\.Error\.(.+)$/.exec(name) ?? [];
  if (ofBus?.startsWith('Spawn.') === true) return UNREACHABLE; // the bus tried to start it
  return (ofBus === undefined ? undefined : OF_BUS[ofBus]) ?? OTHERWISE;
}

/** The manager answers, but not in words that this release knows. */
export const otherWords = (sentence: string): Refused =>
  new Refused(ExitCode.failed, sentence, {
    advice: 'check that patchpanelctl and the manager are of one release',
  });

/** The bus itself could not be reached. */
export function noBus(fault: unknown): Refused {
  return new Refused(ExitCode.unreachable, causeChain(fault), {
    advice: 'start the D-Bus system bus, or set DBUS_SYSTEM_BUS_ADDRESS',
    cause: fault,
  });
}
