import { spawnSync } from 'node:child_process';
import {
  enableUfw,
  labMissing,
  labTest,
  program,
  type RunningGuest,
  STANDARD,
  startTermina,
  STATE_INSIDE,
  tapMissing,
  ufwMissing,
} from '@pp/lab';
import type { Guest, Host } from '@pp/lab';
import { GuestRig } from './guest-rig';
import { expectAnswers } from './port-probe';

/** Firewalls of others as they are on real hosts: the doctor names what cuts guests of each kind off, and what it advises lets them out again. */

const missing = labMissing() ?? tapMissing();
let rig: GuestRig;
let vm: RunningGuest;
let namespace: Guest;

beforeAll(async () => {
  if (missing !== undefined) return;
  rig = await GuestRig.open();
  vm = await startTermina(rig, 5);
  namespace = await rig.lab.guest('namespace');
  await rig.client.connect({ pid: namespace.pid });
}, 60_000);

afterAll(async () => {
  if (missing === undefined) await rig.close();
}, 60_000);

/** What dockerd 28 loads where it has turned IPv4 forwarding on, for its default network. */
const DOCKER = `*filter
:INPUT ACCEPT
:FORWARD DROP
:OUTPUT ACCEPT
:DOCKER -
:DOCKER-BRIDGE -
:DOCKER-CT -
:DOCKER-FORWARD -
:DOCKER-ISOLATION-STAGE-1 -
:DOCKER-ISOLATION-STAGE-2 -
:DOCKER-USER -
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-BRIDGE -o docker0 -j DOCKER
-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A DOCKER-FORWARD -j DOCKER-CT
-A DOCKER-FORWARD -j DOCKER-ISOLATION-STAGE-1
-A DOCKER-FORWARD -j DOCKER-BRIDGE
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-ISOLATION-STAGE-1 -i docker0 ! -o docker0 -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP
COMMIT`;

const ROWS: readonly {
  readonly name: string;
  readonly comes: (host: Host) => Promise<unknown>;
  readonly goes: string;
  readonly missing: string | undefined;
}[] = [
  {
    name: 'Docker',
    comes: (host) => host.shell(`iptables-nft-restore << 'END'\n${DOCKER}\nEND`),
    goes: 'nft delete table ip filter',
    missing: undefined,
  },
  { name: 'ufw', comes: enableUfw, goes: 'ufw disable', missing: ufwMissing() },
];

async function connects(guest: Guest): Promise<boolean> {
  const args = ['2', 'bash', '-c', `exec 3<> /dev/tcp/${STANDARD.internet.v4}/7`];
  return (await guest.run('timeout', args)).code === 0;
}

/** By TCP: ufw lets pings through. */
const reach = (): Promise<readonly boolean[]> => Promise.all([vm.guest, namespace].map(connects));

async function doctorSays(what: string): Promise<readonly string[]> {
  const { stdout } = await rig.lab.host.run(program('patchpanelctl'), [
    'doctor',
    '--state-dir',
    STATE_INSIDE,
  ]);
  return stdout.split('\n').filter((line) => line.startsWith(what));
}

const problems = (): Promise<readonly string[]> => doctorSays('problem firewall: chain FORWARD of table ip ');

const LET_THROUGH = 'let guests through: ';
const advised = (line: string): string => line.slice(line.indexOf(LET_THROUGH) + LET_THROUGH.length);

for (const { name, comes, goes, missing: lacks } of ROWS) {
  labTest(
    `${name}: guests are cut off, the doctor says so, and its advice helps all of them`,
    async () => {
      const { host } = rig.lab;
      await comes(host);
      expect(await reach()).toEqual([false, false]);
      const [problem = '', ...more] = await problems();
      expect(more).toEqual([]);
      await host.shell(advised(problem));
      await expectAnswers(reach, [true, true]);
      expect(await problems()).toEqual([]);
      await host.shell(goes);
      await expectAnswers(reach, [true, true]);
    },
    missing ?? lacks,
  );
}

const legacyMissing = (): string | undefined =>
  spawnSync('unshare', ['--net', 'iptables-legacy', '-S']).status === 0 ? undefined : 'iptables-legacy';

labTest(
  'iptables-legacy, whose rules nft does not show: the doctor says how to look and what helps',
  async () => {
    const { host } = rig.lab;
    await host.shell(`iptables-legacy-restore << 'END'\n${DOCKER}\nEND`);
    expect(await reach()).toEqual([false, false]);
    const [warning = ''] = await doctorSays('warning firewall: iptables-legacy has a filter table');
    await host.shell(advised(warning));
    await expectAnswers(reach, [true, true]);
    await host.shell('iptables-legacy -P FORWARD ACCEPT; iptables-legacy -F; iptables-legacy -X');
  },
  missing ?? legacyMissing(),
);
