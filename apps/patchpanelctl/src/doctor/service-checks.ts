/** Whether the programs of patchpanel are there, and what they say themselves. */
import { IPV6_WARNINGS } from '@pp/ports';
import type { Check } from './check';
import { clashes, sentenceFinding } from './clashes';
import { ok, problem, unseen, warning } from './finding';
import { isOlder } from './versions';

export const privileges: Check = ({ lacking }) => [
  lacking.length === 0
    ? ok('privileges', 'this program may see everything')
    : warning(
        'privileges',
        `this program lacks ${lacking.join(', ')}, so not all is seen`,
        'run this as root',
      ),
];

export const bus: Check = ({ bus: told }) => [
  told.ok
    ? ok('bus', 'the system bus answers')
    : problem('bus', told.why, 'start the D-Bus system bus, or set DBUS_SYSTEM_BUS_ADDRESS'),
];

export const policy: Check = ({ bus: told, policies }) => {
  if (told.ok && told.value.hasManager) return [ok('policy', 'the bus lets the manager have its name')];
  if (policies === null)
    return [ok('policy', 'DBUS_SYSTEM_BUS_ADDRESS names another bus, whose policy is its own')];
  const [first] = policies;
  if (first !== undefined) return [ok('policy', `${first} is there`)];
  return [
    problem(
      'policy',
      'no bus policy lets the manager have the name org.chromium.PatchPanel',
      'copy org.chromium.PatchPanel.conf to /usr/share/dbus-1/system.d and reload the bus: systemctl reload dbus',
    ),
  ];
};

export const manager: Check = ({ manager: told, bus: onBus, version }) => {
  if (!told.ok && told.denied) return [unseen('manager', told)];
  if (!told.ok) {
    const elsewhere = onBus.ok && onBus.value.hasManager;
    return [
      elsewhere
        ? warning(
            'manager',
            `one has its name on the bus, but nobody answers: ${told.why}`,
            'give its --state-dir',
          )
        : problem('manager', told.why, 'start it: systemctl start patchpanel-manager'),
    ];
  }
  const { value } = told;
  const found = [
    ...(value.ready ? [] : [problem('manager', 'it runs, but has not come to be ready', LOOK_AT_LOG)]),
    ...(isOlder(value.version, version)
      ? [
          warning(
            'manager',
            `it is of release ${value.version}, older than this program's ${version}`,
            'restart it: systemctl restart patchpanel-manager',
          ),
        ]
      : []),
  ];
  return found.length > 0 ? found : [ok('manager', `release ${value.version} runs`)];
};

const LOOK_AT_LOG = 'look at its log: journalctl -u patchpanel-manager';

/** What the manager itself warns of, without what the other checks say in their own place. */
export const managerWarnings: Check = (facts) => {
  if (!facts.manager.ok) return [];
  const told = new Set([...clashes(facts), ...Object.values(IPV6_WARNINGS).flat()]);
  return facts.manager.value.warnings
    .filter((sentence) => !told.has(sentence))
    .map((sentence) => sentenceFinding('manager', sentence, 'look at patchpanelctl status'));
};

/** What guests miss without them. */
const MISSED: Readonly<Record<string, string>> = {
  ndproxy: 'guests have no IPv6',
  mcastfwd: 'guests and the LAN do not find each other by mDNS and SSDP',
  'bcast-fwd': 'no broadcasts pass between guests and the LAN',
  'adb-proxy': 'nobody reaches Android by adb',
  counters: 'no traffic is counted',
};

export const helpers: Check = ({ silentHelpers, manager: told }) => {
  if (!told.ok) return [told.denied ? unseen('helpers', told) : ok('helpers', 'they wait for the manager')];
  if (silentHelpers.length === 0) return [ok('helpers', 'all that are to run answer')];
  return silentHelpers.map((name) =>
    warning(
      'helpers',
      `${name} does not answer: ${MISSED[name] ?? 'its work is not done'}`,
      `start it: systemctl start ${name}`,
    ),
  );
};
