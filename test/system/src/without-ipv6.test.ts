import { readFileSync } from 'node:fs';
import { seconds } from '@pp/base';
import {
  ApiClient,
  globalAddress,
  labTest,
  type Manager,
  program,
  reaches,
  repository,
  STANDARD,
  standardLab,
  type StandardLab,
  startManager,
  STATE_INSIDE,
  until,
} from '@pp/lab';
import { answers, forward, guestBehind, startProxy, up } from './ndproxy-rig';

/** Hosts that have no IPv6, and mean it. What a kernel without it refuses has rows beside the datapath: here the keys are hidden. */

const HIDE = 'mount -t tmpfs tmpfs /proc/sys/net/ipv6';
const SWITCH_OFF = 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6';

let lab: StandardLab;
let manager: Manager | undefined;
beforeEach(async () => {
  lab = await standardLab();
}, seconds(60));
afterEach(async () => {
  await manager?.stop();
  manager = undefined;
  await lab.close();
}, seconds(60));

/** What the status and the doctor warn of; nothing else may be wrong. */
async function warnings(): Promise<{
  readonly status: readonly string[];
  readonly doctor: readonly string[];
}> {
  const ask = async (...words: readonly string[]): Promise<unknown> => {
    const args = [...words, '--json', '--state-dir', STATE_INSIDE];
    return JSON.parse((await lab.host.run(program('patchpanelctl'), args)).stdout);
  };
  const { warnings: status } = (await ask('status')) as { readonly warnings: readonly string[] };
  const { checks } = (await ask('doctor')) as {
    readonly checks: readonly { readonly level: string; readonly name: string; readonly found: string }[];
  };
  const bad = checks.filter(({ level, name }) => level !== 'ok' && name !== 'helpers'); // none are started
  return { status, doctor: bad.map(({ name, found }) => `${name}: ${found}`) };
}

/** A guest is connected, reached and let go again. */
async function expectIpv4Service(): Promise<void> {
  const client = await ApiClient.open(lab.bus.outside);
  const guest = await lab.guest('guest');
  const { reply, release } = await client.connect({ pid: guest.pid });
  expect(reply.hostIfname).toBe('arc_ns0');
  expect(await reaches(guest, STANDARD.internet.v4)).toBe(true);
  release();
  client.close();
}

const RULES_OF_OURS = 'ip -6 rule; ip -6 route show table all type blackhole';

labTest('a kernel without IPv6: guests are served with IPv4, and the host says so', async () => {
  const before = await lab.host.shell(RULES_OF_OURS);
  await lab.host.shell(HIDE);
  manager = await startManager(lab.host);
  await expectIpv4Service();
  expect(await lab.host.shell(RULES_OF_OURS)).toBe(before);
  const what = 'the kernel of this host runs without IPv6, and guests have IPv4 alone';
  expect(await warnings()).toEqual({
    status: [`${what}; if that is not meant, boot it without ipv6.disable=1`],
    doctor: [`ipv6: ${what}`],
  });
});

/** The words of a line of ndproxy's unit. */
function unitWords(key: string): readonly string[] {
  const unit = readFileSync(repository('apps/ndproxy/systemd/ndproxy.service'), 'utf8');
  return new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1]?.split(' ') ?? [];
}

/** What systemd makes of the unit when it is started (systemd.service(5), ExecCondition=). */
async function started(): Promise<'run' | 'skipped' | 'failed'> {
  const [command, ...args] = unitWords('ExecCondition');
  if (command === undefined) return 'run';
  const { code } = await lab.host.run(command, args);
  if (code === 0) return 'run';
  return code !== null && code < 255 ? 'skipped' : 'failed';
}

const NDPROXY_ROWS = [
  {
    name: 'a kernel without IPv6',
    script: HIDE,
    want: 'the kernel of this host runs without IPv6, and ndproxy has nothing to do; boot it without ipv6.disable=1',
  },
  {
    name: 'IPv6 is switched off',
    script: SWITCH_OFF,
    want: 'IPv6 is switched off on this host, and ndproxy has nothing to do; write sysctl -w net.ipv6.conf.all.disable_ipv6=0, and start it again',
  },
];
for (const { name, script, want } of NDPROXY_ROWS) {
  labTest(`${name}: ndproxy says in one sentence that it has nothing to do, and stays away`, async () => {
    await lab.host.shell(script);
    const args = ['--state-dir', STATE_INSIDE, 'eth0', 'lo'];
    const { code, stderr } = await lab.host.run(program('ndproxy'), args);
    expect({ code, stderr }).toEqual({ code: 8, stderr: `ndproxy: ${want}\n` });
    expect(unitWords('RestartPreventExitStatus')).toContain(String(code));
    expect(await started()).toBe('skipped');
  });
}

labTest('IPv6 is switched off on lo alone: ndproxy serves', async () => {
  await forward(lab.host);
  await lab.host.shell('echo 1 > /proc/sys/net/ipv6/conf/lo/disable_ipv6');
  const guest = await guestBehind(lab, 'guest', 'vg1');
  await startProxy(lab.host, ['eth0', 'vg1']);
  await up(guest);
  await answers(lab.internet, await globalAddress(guest));
});

labTest('a host with IPv6: systemd runs ndproxy', async () => {
  expect(await started()).toBe('run');
});

labTest(
  'IPv6 is switched off: guests are served with IPv4, and the host says so while it lasts',
  async () => {
    await lab.host.shell(SWITCH_OFF);
    manager = await startManager(lab.host);
    await expectIpv4Service();
    expect(await reaches(lab.host, STANDARD.internet.v4)).toBe(true);
    const what = 'IPv6 is switched off on this host, and guests have IPv4 alone';
    expect(await warnings()).toEqual({
      status: [`${what}; if that is not meant, write sysctl -w net.ipv6.conf.all.disable_ipv6=0`],
      doctor: [`ipv6: ${what}`],
    });
    await lab.host.shell('echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6');
    expect(await warnings()).toEqual({ status: [], doctor: [] });
  },
);

labTest('IPv6 is switched off: the manager runs its helpers but ndproxy, which has no work', async () => {
  await lab.host.shell(SWITCH_OFF);
  manager = await startManager(lab.host, { args: ['--uplink', 'eth0=ethernet', '--helpers', 'spawn'] });
  const states = async (): Promise<readonly (readonly [string, string])[]> => {
    const args = ['--state-dir', STATE_INSIDE, 'status', '--json'];
    const status = JSON.parse(await lab.host.ok(program('patchpanel-manager'), args)) as Status;
    return status.helpers.map(({ name, state }) => [name, state]);
  };
  await until('the others to run', async () =>
    (await states()).every(([name, state]) => name === 'ndproxy' || state === 'running'),
  );
  expect(await states()).toContainEqual(['ndproxy', 'idle']);
  expect((await warnings()).status).toHaveLength(1);
});

interface Status {
  readonly helpers: readonly { readonly name: string; readonly state: string }[];
}
