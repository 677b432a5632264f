import { accept, checkedAll, checkedEach, refuse, seconds, type Checked, type Millis } from '@pp/base';
import { choice, VERSION, wholeNumber, type RawArgs, type ServiceSpec } from '@pp/daemon';
import type { Limits } from './core/admission';
import { checkedEndpoint, checkedTarget, endpointText, type Endpoint, type Target } from './endpoint';
import { checkedSources, isLoopback, SOURCE_EXAMPLE, type Sources } from './sources';

export const ALLOW = ['sideload', 'always', 'never'] as const;
export type Allow = (typeof ALLOW)[number];

export interface Config {
  /** None: loopback, port 5555. */
  readonly listen: readonly Endpoint[];
  /** In the order they are tried. None: follow the manager. */
  readonly connect: readonly Target[];
  /** Who may connect where `listen` is no loopback address. */
  readonly from: Sources;
  /** What `listen` opens is closed after this; null: never. */
  readonly autoOff: Millis | null;
  /** Following the manager: when ADB to Android is allowed. */
  readonly allow: Allow;
  readonly limits: Limits;
}

const LISTEN_EXAMPLE = '--listen 127.0.0.1:5555';
const CONNECT_EXAMPLE = '--connect unix:/run/arc/adb/adb.sock or --connect vsock:5:5555';
const DEFAULT_LIMITS: Limits = { total: 256, perSource: 64 };
/** A day of a machine that was forgotten is long enough. */
const MAX_AUTO_OFF_SEC = 86_400;
const MAX_CONNECTIONS = 100_000;

export const SPEC: ServiceSpec<Config> = {
  name: 'adb-proxy',
  version: VERSION,
  description: 'Relays ADB over TCP to adbd of an Android guest.',
  options: [
    {
      flags: '--listen <ADDR:PORT>',
      text: 'where adb connects; IPv6 in brackets; repeated: each',
      repeat: true,
    },
    {
      flags: '--connect <TARGET>',
      text: 'unix:PATH, vsock:CID:PORT or tcp:ADDR:PORT; repeated: tried in order',
      repeat: true,
    },
    {
      flags: '--from <SUBNET>',
      text: 'who may connect from outside, such as 192.168.1.0/24; repeated: each',
      repeat: true,
    },
    {
      flags: '--auto-off <SECONDS>',
      text: 'close what --listen opened, and its connections, so long after it was opened first',
    },
    {
      flags: '--allow <WHEN>',
      text: 'following the manager: sideload (developer mode, or ADB sideloading is on; default), always or never',
    },
    { flags: '--max-connections <N>', text: `at once (default ${DEFAULT_LIMITS.total})` },
    { flags: '--max-per-source <N>', text: `at once from one address (default ${DEFAULT_LIMITS.perSource})` },
  ],
  notes: `Without --connect the manager is followed: while Android runs and ADB is allowed, adb-proxy listens at port 5555 of loopback (or at
--listen) and of the host's addresses on the links to Linux VMs. Nothing else can connect unless --listen and --from say so.

Examples:
  adb-proxy --allow always
  adb-proxy ${LISTEN_EXAMPLE} --connect vsock:5:5555 --connect tcp:100.115.92.2:5555
  adb-proxy --listen 192.168.1.5:5555 --from 192.168.1.0/24 --auto-off 3600 --allow always`,
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  const checked = checkedAll({
    listen: each(raw.all('listen'), '--listen', LISTEN_EXAMPLE, checkedEndpoint),
    connect: each(raw.all('connect'), '--connect', CONNECT_EXAMPLE, checkedTarget),
    from: checkedSources(raw.all('from')),
    allow: choice(raw, 'allow', ALLOW, 'sideload'),
    total: wholeNumber(raw, 'max-connections', [1, MAX_CONNECTIONS], DEFAULT_LIMITS.total),
    perSource: wholeNumber(raw, 'max-per-source', [1, MAX_CONNECTIONS], DEFAULT_LIMITS.perSource),
    autoOffSec: wholeNumber(raw, 'auto-off', [1, MAX_AUTO_OFF_SEC], null),
  });
  if (!checked.ok) return checked;
  const { autoOffSec, total, perSource, ...config } = checked.value;
  return checkedTogether(raw, {
    ...config,
    autoOff: autoOffSec === null ? null : seconds(autoOffSec),
    limits: { total, perSource },
  });
}

/** What only makes sense with something else. */
function checkedTogether(raw: RawArgs, config: Config): Checked<Config> {
  const { listen, connect, from } = config;
  const fault = (sentence: string): Checked<Config> => refuse('InvalidArgument', sentence);
  if (connect.length > 0 && listen.length === 0)
    return fault(`--connect needs --listen too; write for example ${LISTEN_EXAMPLE}`);
  if (connect.length > 0 && raw.one('allow') !== undefined)
    return fault(
      '--allow is about the manager’s Android, and --connect names another target; leave one of them out',
    );
  const open = listen.find(({ address }) => !isLoopback(address));
  if (open !== undefined && from.texts.length === 0)
    return fault(
      `--listen '${endpointText(open)}' can be reached from outside; say by whom, for example ${SOURCE_EXAMPLE}`,
    );
  if (from.texts.length > 0 && open === undefined)
    return fault(
      `--from '${from.texts[0] ?? ''}' is about an address that can be reached from outside; write one with --listen`,
    );
  if (raw.one('auto-off') !== undefined && listen.length === 0)
    return fault(`--auto-off is about what --listen opens; write for example ${LISTEN_EXAMPLE}`);
  const texts = listen.map(endpointText);
  const twice = texts.find((text, place) => texts.indexOf(text) !== place);
  return twice === undefined ? accept(config) : fault(`--listen '${twice}' is there twice; write each once`);
}

function each<T>(
  texts: readonly string[],
  option: string,
  example: string,
  check: (text: string) => Checked<T>,
): Checked<readonly T[]> {
  return checkedEach(texts, (text) => {
    const checked = check(text);
    return checked.ok
      ? checked
      : refuse(checked.reason, `${option} ${checked.sentence}; write for example ${example}`);
  });
}
