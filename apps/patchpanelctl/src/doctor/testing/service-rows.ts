import type { Finding } from '../finding';
import { problem, warning, withFiles } from './changes';
import type { FaultRow, Setting } from './fault-row';

const POLICY = {
  '/usr/share/dbus-1/system.d/org.chromium.PatchPanel.conf': '<allow own="org.chromium.PatchPanel"/>',
};

const started = (name: string, missed: string): Finding =>
  warning('helpers', `${name} does not answer: ${missed}`, `start it: systemctl start ${name}`);

const ALL_SILENT = ['ndproxy', 'mcastfwd', 'bcast-fwd', 'adb-proxy', 'counters'];

const withUnits = (...names: readonly string[]): FaultRow['change'] =>
  withFiles(Object.fromEntries(names.map((name) => [`/lib/systemd/system/${name}.service`, '[Service]\n'])));

const onManager =
  (status: object) =>
  (setting: Setting): Setting => ({ ...setting, manager: { ...setting.manager, ...status } });

/** The bus, the manager and the helpers. */
export const SERVICE_ROWS: readonly FaultRow[] = [
  {
    name: 'a helper that nobody hears from',
    change: (setting) => ({ ...setting, silent: ['ndproxy'] }),
    want: [started('ndproxy', 'guests have no IPv6')],
    lab: {
      comes: 'mv /run/lab/state/ndproxy.sock /run/lab/state/ndproxy.gone',
      goes: 'mv /run/lab/state/ndproxy.gone /run/lab/state/ndproxy.sock',
    },
  },
  {
    name: 'helpers that systemd should have started',
    change: (setting) =>
      onManager({ helpers: [] })(withUnits('adb-proxy', 'counters')({ ...setting, silent: ALL_SILENT })),
    want: [
      started('adb-proxy', 'nobody reaches Android by adb'),
      started('counters', 'no traffic is counted'),
    ],
  },
  {
    name: 'a manager whose helpers are not installed',
    change: (setting) => onManager({ helpers: [] })({ ...setting, silent: ALL_SILENT }),
    want: [],
  },
  {
    name: 'a helper that the manager cannot keep up, said once',
    change: (setting) =>
      onManager({
        helpers: [{ name: 'ndproxy', state: 'waiting' }],
        warnings: ['helper ndproxy does not stay up: exit 1; the log says why'],
      })({ ...setting, silent: ['ndproxy'] }),
    want: [warning('manager', 'helper ndproxy does not stay up: exit 1', 'the log says why')],
  },
  {
    name: 'an older manager that is not ready',
    change: onManager({ version: '0.0.9', ready: false }),
    want: [
      problem(
        'manager',
        'it runs, but has not come to be ready',
        'look at its log: journalctl -u patchpanel-manager',
      ),
      warning(
        'manager',
        "it is of release 0.0.9, older than this program's 0.1.0",
        'restart it: systemctl restart patchpanel-manager',
      ),
    ],
  },
  {
    name: 'no bus',
    change: (setting) => withFiles(POLICY)({ ...setting, bus: null }),
    want: [problem('bus', 'cannot connect', 'start the D-Bus system bus, or set DBUS_SYSTEM_BUS_ADDRESS')],
  },
  {
    name: 'no manager and no policy for it',
    change: (setting) => ({ ...setting, manager: null, bus: { hasManager: false } }),
    want: [
      problem(
        'policy',
        'no bus policy lets the manager have the name org.chromium.PatchPanel',
        'copy org.chromium.PatchPanel.conf to /usr/share/dbus-1/system.d and reload the bus: systemctl reload dbus',
      ),
      problem('manager', 'patchpanel-manager is not running', 'start it: systemctl start patchpanel-manager'),
    ],
  },
  {
    name: 'no manager, but its policy',
    change: (setting) =>
      withFiles(POLICY)({
        ...setting,
        manager: null,
        bus: { hasManager: false },
      }),
    want: [
      problem('manager', 'patchpanel-manager is not running', 'start it: systemctl start patchpanel-manager'),
    ],
  },
  {
    name: 'a manager with another state directory',
    change: (setting) => ({ ...setting, manager: null }),
    want: [
      warning(
        'manager',
        'one has its name on the bus, but nobody answers: patchpanel-manager is not running',
        'give its --state-dir',
      ),
    ],
  },
];
