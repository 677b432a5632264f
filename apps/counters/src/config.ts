import { accept, checkedAll, millis, refuse, type Checked } from '@pp/base';
import { checkedIfname, choice, VERSION, wholeNumber, type RawArgs, type ServiceSpec } from '@pp/daemon';
import { checkedStore, STORE_EXAMPLE, type StoreAddress } from '@pp/state';
import { hostname } from 'node:os';
import type { Settings } from './doors';
import type { CountedUplink } from './core/record';

export interface Config extends Settings {
  /** None: the manager tells. */
  readonly uplinks: readonly CountedUplink[];
  /** null: beside the state, or in DEFAULT_HISTORY_DIR. */
  readonly historyDir: string | null;
  /** A store that this host shares with others, and its name among them; null: it is alone. */
  readonly fleet: { readonly store: StoreAddress; readonly host: string } | null;
  /** Where metrics are served beside the socket; null: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | null;
}

/** Survives a reboot, which the default of --state-dir does not. */
export const DEFAULT_HISTORY_DIR = '/var/lib/patchpanel';

const DEFAULT_PERIOD_SEC = 10;
const DEFAULT_SET_SIZE = 8192;
const MAX_SET_SIZE = 1_000_000;
const EXAMPLE = 'counters eth0 wlan0 wg0=vpn';

export const SPEC: ServiceSpec<Config> = {
  name: 'counters',
  version: VERSION,
  description:
    'Counts traffic by uplink, source, family and guest, and keeps what was counted by hour and month.',
  options: [
    {
      flags: '--history-dir <DIR>',
      text: `where samples are kept across reboots; default: ${DEFAULT_HISTORY_DIR}, or --state-dir where that is given`,
    },
    {
      flags: '--period <SECONDS>',
      text: `time between two samples, 1 to 3600; default ${DEFAULT_PERIOD_SEC}`,
    },
    {
      flags: '--metrics <ADDR:PORT>',
      text: 'serve Prometheus text by HTTP at /metrics on loopback too, e.g. 127.0.0.1:9477; the UNIX socket counters.metrics in --state-dir always does',
    },
    {
      flags: '--state <STORE>',
      text: 'deliver the sums into a store that several hosts share: redis://HOST[:PORT], rediss://, redis+unix:/PATH; or file:/PATH',
    },
    { flags: '--fleet-host <NAME>', text: 'name of this host there; default: its host name' },
    {
      flags: '--set-size <N>',
      text: `most pairs of interface, source and family that are told apart; default ${DEFAULT_SET_SIZE}`,
    },
    {
      flags: '--on-exit <MODE>',
      text: 'clean (default): take the nft table away; keep: let it count on until the next start',
    },
  ],
  operands: {
    synopsis: '[UPLINK[=vpn]...]',
    text: 'Uplinks to count without asking the manager; those that are not there yet are awaited. All of kind vpn count as the device vpn.',
  },
  notes: `patchpanelctl traffic shows what was counted. Examples:\n  counters\n  ${EXAMPLE} --metrics 127.0.0.1:9477`,
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  const checked = checkedAll({
    uplinks: checkedUplinks(raw.operands),
    onExit: choice(raw, 'on-exit', ['clean', 'keep'], 'clean'),
    periodSec: wholeNumber(raw, 'period', [1, 3600], DEFAULT_PERIOD_SEC),
    setSize: wholeNumber(raw, 'set-size', [1, MAX_SET_SIZE], DEFAULT_SET_SIZE),
    metrics: checkedMetrics(raw.one('metrics')),
    fleet: checkedFleet(raw),
    historyDir: checkedHistoryDir(raw.one('history-dir')),
  });
  if (!checked.ok) return checked;
  const { periodSec, ...config } = checked.value;
  return accept({ ...config, period: millis(periodSec * 1000) });
}

const checkedHistoryDir = (text: string | undefined): Checked<string | null> =>
  text === ''
    ? refuse('InvalidArgument', `--history-dir '' is empty; write a directory such as ${DEFAULT_HISTORY_DIR}`)
    : accept(text ?? null);

function checkedFleet(raw: RawArgs): Checked<Config['fleet']> {
  const [text, name] = [raw.one('state'), raw.one('fleet-host')];
  if (text === undefined)
    return name === undefined
      ? accept(null)
      : refuse(
          'InvalidArgument',
          `--fleet-host '${name}' needs a store; write for example --state ${STORE_EXAMPLE}`,
        );
  const store = checkedStore(text);
  if (!store.ok) return refuse(store.reason, `--state: ${store.sentence}`);
  const host = name ?? hostname();
  return /^[\w.-]{1,64}$/.test(host)
    ? accept({ store: store.value, host })
    : refuse(
        'InvalidArgument',
        `--fleet-host '${host}' is no name; write letters, digits, '.', '_' and '-', at most 64`,
      );
}

function checkedUplinks(words: readonly string[]): Checked<readonly CountedUplink[]> {
  const uplinks: CountedUplink[] = [];
  for (const word of words) {
    const [name = '', kind, ...more] = word.split('=');
    const ifname = checkedIfname(name);
    if (!ifname.ok)
      return name === ''
        ? refuse('InvalidArgument', `'${word}' names no uplink; write for example ${EXAMPLE}`)
        : ifname;
    if ((kind !== undefined && kind !== 'vpn') || more.length > 0)
      return refuse(
        'InvalidArgument',
        `'${word}': after the = there is vpn only; write for example ${EXAMPLE}`,
      );
    if (uplinks.some((uplink) => uplink.ifname === name))
      return refuse('InvalidArgument', `uplink '${name}' is named twice; write it once`);
    uplinks.push({ ifname: name, vpn: kind === 'vpn' });
  }
  return accept(uplinks);
}

/** Whoever may connect may read: beyond loopback that would be everybody. */
function checkedMetrics(text: string | undefined): Checked<Config['metrics']> {
  if (text === undefined) return accept(null);
  const [, v4, v6, portText = ''] =
    /^(?:(127\.\d{1,3}\.\d{1,3}\.\d{1,3})|\[(::1)\]):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  const host = v4 ?? v6;
  const isAddress = v6 !== undefined || v4?.split('.').every((byte) => Number(byte) <= 255) === true;
  if (host !== undefined && isAddress && port >= 1 && port <= 65535) return accept({ host, port });
  return refuse(
    'InvalidArgument',
    `--metrics '${text}' is no loopback address with a port; write for example 127.0.0.1:9477 or [::1]:9477`,
  );
}
