import { seconds, type Millis } from '@pp/base';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { systemPath } from './child';
import { standardLab, type StandardLab } from './standard-lab';

const NEEDED = 'ip nft nsenter unshare setpriv dnsmasq radvd dbus-daemon ping sysctl';

/** Why no lab can be opened here, in words; undefined where one can. */
export function labMissing(): string | undefined {
  if (process.getuid?.() !== 0) return 'root, or `unshare -Urnm` around the command';
  const env = { ...process.env, PATH: systemPath() };
  const find = `for each in ${NEEDED}; do command -v $each > /dev/null || echo $each; done`;
  const absent = spawnSync('sh', ['-c', find], { env, encoding: 'utf8' })
    .stdout.trim()
    .split('\n')
    .join(', ');
  if (absent !== '') return absent;
  const { status } = spawnSync('unshare', ['--net', '--mount', 'true']);
  return status === 0 ? undefined : 'the right to make namespaces';
}

/** Why a second user id cannot be used here; undefined where it can. */
export function secondUidMissing(): string | undefined {
  const { status } = spawnSync('setpriv', ['--reuid', '65534', '--clear-groups', 'true']);
  return status === 0 ? undefined : 'a second user id';
}

/** Why TAPs cannot be opened here; undefined where they can. Debian lets everybody open the device; in a container it may be root's. */
export function tapMissing(): string | undefined {
  try {
    closeSync(openSync('/dev/net/tun', 'r+'));
    return undefined;
  } catch (fault) {
    return `the right to open /dev/net/tun (${(fault as NodeJS.ErrnoException).code})`;
  }
}

/**
 * A jest test that needs a lab; where there is none it is skipped, and its name says what was missing. `atMost`: three minutes, which is a
 * slow machine's: what is awaited gives up by itself.
 */
export function labTest(
  name: string,
  run: () => Promise<void>,
  missing: string | undefined = labMissing(),
  atMost: Millis = seconds(180),
): void {
  if (missing === undefined) test(name, run, atMost);
  else test.skip(`${name} (needs ${missing})`, run);
}

/** A standard lab for each test of the file, closed after it; none where there is no lab. `prepare` is given it before the test. */
export function labForEach(prepare: (lab: StandardLab) => unknown): void {
  if (labMissing() !== undefined) return;
  let lab: StandardLab | undefined;
  beforeEach(async () => {
    lab = await standardLab();
    await prepare(lab);
  }, seconds(60));
  afterEach(() => lab?.close(), seconds(60));
}
