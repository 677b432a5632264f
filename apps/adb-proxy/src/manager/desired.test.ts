import { seconds } from '@pp/base';
import type { Config } from '../config';
import { targetText } from '../endpoint';
import { gateName } from '../gate';
import { checkedSources } from '../sources';
import { desiredOf, type Facts } from './desired';

const from = checkedSources(['192.168.1.0/24']);
if (!from.ok) throw new Error(from.sentence);
const CONFIG: Config = {
  listen: [],
  connect: [],
  from: from.value,
  autoOff: null,
  allow: 'always',
  limits: { total: 1, perSource: 1 },
};
const FACTS: Facts = { arc: { kind: 'vm', cid: 5 }, isDeveloperMode: false, isSideloading: false, links: [] };
const LOOPBACK = ['127.0.0.1:5555', '[::1]:5555'];
const VM = ['vsock:5:5555', 'tcp:100.115.92.2:5555'];
const NOTHING = { gates: [], targets: [] };

const rows: readonly {
  readonly name: string;
  readonly config?: Partial<Config>;
  readonly facts?: Partial<Facts>;
  readonly want: { readonly gates: readonly string[]; readonly targets: readonly string[] };
}[] = [
  { name: 'Android does not run', facts: { arc: null }, want: NOTHING },
  { name: 'a VM: vsock, then TCP; on loopback', want: { gates: LOOPBACK, targets: VM } },
  {
    name: 'a container: its socket, then TCP',
    facts: { arc: { kind: 'container', pid: 7 } },
    want: { gates: LOOPBACK, targets: ['unix:/run/arc/adb/adb.sock', 'tcp:100.115.92.2:5555'] },
  },
  {
    name: 'never',
    config: { allow: 'never' },
    facts: { isDeveloperMode: true, isSideloading: true },
    want: NOTHING,
  },
  { name: 'sideloading is off', config: { allow: 'sideload' }, want: NOTHING },
  {
    name: 'sideloading is on',
    config: { allow: 'sideload' },
    facts: { isSideloading: true },
    want: { gates: LOOPBACK, targets: VM },
  },
  {
    name: 'developer mode',
    config: { allow: 'sideload' },
    facts: { isDeveloperMode: true },
    want: { gates: LOOPBACK, targets: VM },
  },
  {
    name: 'Linux VMs get a gate that hears their link only',
    facts: { links: [{ ifname: 'vmtap0', address: '100.115.92.25' }] },
    want: { gates: [...LOOPBACK, '100.115.92.25:5555 on vmtap0'], targets: VM },
  },
  {
    name: 'the LAN, instead of loopback',
    config: { listen: [{ address: '192.168.1.5', port: 6000 }], autoOff: seconds(60) },
    want: { gates: ['192.168.1.5:6000 from 192.168.1.0/24 for 60000'], targets: VM },
  },
  {
    name: 'loopback by name needs no source',
    config: { listen: [{ address: '127.0.0.2', port: 6000 }] },
    want: { gates: ['127.0.0.2:6000'], targets: VM },
  },
];

test.each(rows)('$name', ({ config, facts, want }) => {
  const { gates, targets } = desiredOf({ ...CONFIG, ...config }, { ...FACTS, ...facts });
  const texts = gates.map((gate) => {
    const sources = gate.from === null ? '' : ` from ${gate.from.texts.join()}`;
    return `${gateName(gate)}${sources}${gate.autoOff === null ? '' : ` for ${gate.autoOff}`}`;
  });
  expect({ gates: texts, targets: targets.map(targetText) }).toEqual(want);
});
