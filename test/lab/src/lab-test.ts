import { spawnSync } from 'node:child_process';

const NEEDED = [
  'ip',
  'nft',
  'nsenter',
  'unshare',
  'setpriv',
  'dnsmasq',
  'radvd',
  'dbus-daemon',
  'ping',
  'sysctl',
];

/** Why no lab can be opened here, in words; undefined where one can. */
export function labMissing(commands: readonly string[] = NEEDED): string | undefined {
  if (process.getuid?.() !== 0) return 'root, or `unshare -Urnm` around the command';
  const absent = commands.filter((command) => spawnSync('sh', ['-c', `command -v ${command}`]).status !== 0);
  if (absent.length > 0) return absent.join(', ');
  return spawnSync('unshare', ['--net', '--mount', 'true']).status === 0
    ? undefined
    : 'the right to make namespaces';
}

/** Why a second user id cannot be used here; undefined where it can. */
export function secondUidMissing(): string | undefined {
  const { status } = spawnSync('setpriv', ['--reuid', '65534', '--clear-groups', 'true']);
  return status === 0 ? undefined : 'a second user id';
}

/** A jest test that needs a lab; where there is none it is skipped, and its name says what was missing. One minute at most. */
export function labTest(
  name: string,
  run: () => Promise<void>,
  missing: string | undefined = labMissing(),
): void {
  if (missing === undefined) test(name, run, 60_000);
  else test.skip(`${name} (needs ${missing})`, run);
}
