import { labMissing, labTest, program, STATE_INSIDE, tapMissing, until } from '@pp/lab';
import { GuestRig, UPLINK_ARGS } from './guest-rig';

/** What of the host's own network is in guests' way is said by `status`, and once in the log. */

let rig: GuestRig;

beforeAll(async () => {
  rig = await GuestRig.open({ args: [...UPLINK_ARGS, '--uplink', 'eth2=ethernet'] });
}, 60_000);

afterAll(async () => {
  await rig.close();
}, 60_000);

const ROWS = [
  {
    name: 'an uplink with an address among guests',
    comes: 'ip addr add 100.115.92.200/24 dev eth1',
    goes: 'ip addr del 100.115.92.200/24 dev eth1',
    want: /the address 100\.115\.92\.200\/24 of eth1 lies in guests' 100\.115\.92\.0\/23/,
  },
  {
    name: 'another program that looks at our bits of the mark',
    comes: 'ip rule add fwmark 0x80000/0xff0000 lookup main priority 5210',
    goes: 'ip rule del priority 5210',
    want: /rule 5210 of another program looks for mark 0x00080000 in 0x00ff0000/,
  },
  {
    name: 'a program that is known to use them',
    comes: 'ip link add tailscale0 type bridge',
    goes: 'ip link del tailscale0',
    want: /Tailscale is here and marks packets in 0x00ff0000/,
  },
  {
    name: 'a way out whose name nft cannot say',
    comes: `ip link add 'a*b' type bridge; ip link set 'a*b' up; ip route add default dev 'a*b' metric 900`,
    goes: `ip link del 'a*b'`,
    want: /a\*b\\?" cannot be an uplink/,
  },
  {
    name: 'an uplink whose number marks have no room for',
    comes:
      'ip link add eth2 index 70000 type bridge; ip link set eth2 up; ip route add default dev eth2 metric 900',
    goes: 'ip link del eth2',
    want: /eth2\\?" cannot be an uplink: packet marks have no room for its number, 70000/,
  },
] as const;

async function status(): Promise<{ readonly code: number | null; readonly warnings: readonly string[] }> {
  const args = ['status', '--json', '--state-dir', STATE_INSIDE];
  const { code, stdout } = await rig.lab.host.run(program('patchpanelctl'), args);
  const { warnings } = JSON.parse(stdout) as { readonly warnings: readonly string[] };
  return { code, warnings };
}

for (const { name, comes, goes, want } of ROWS) {
  labTest(`${name} is warned of while it lasts`, async () => {
    const calm = await status();
    const logged = (): number =>
      rig.manager.process
        .output()
        .split('\n')
        .filter((line) => want.test(line)).length;
    await rig.lab.host.shell(comes);
    await until('the warning', async () => (await status()).warnings.some((text) => want.test(text)));
    expect((await status()).code).toBe(7); // done, but degraded
    await until('it is in the log', () => logged() > 0);
    expect(logged()).toBe(1);
    await rig.lab.host.shell(goes);
    await until('no warning', async () => !(await status()).warnings.some((text) => want.test(text)));
    expect(await status()).toEqual(calm);
    expect(logged()).toBe(1);
  });
}

labTest("wg-quick's rule, whose mark is never ours, is no reason for a warning", async () => {
  const { host } = rig.lab;
  const own =
    'ip rule add not fwmark 51820 lookup 51820 priority 5209; ip rule add fwmark 0x100 lookup main priority 5210';
  await host.shell(own);
  const told = await until('a warning of the other rule', async () => {
    const rules = (await status()).warnings.filter((sentence) => sentence.startsWith('rule '));
    return rules.length > 0 && rules;
  });
  expect(told).toEqual([expect.stringContaining('rule 5210 of another program')]);
  await host.shell('ip rule del priority 5209; ip rule del priority 5210');
});

labTest(
  'an uplink that Android has no addresses left for is warned of while it is there',
  async () => {
    const ofAndroid = async (): Promise<readonly string[]> =>
      (await status()).warnings.filter((sentence) => sentence.startsWith('Android'));
    await rig.client.ask('ArcVmStartup', { cid: 3 });
    expect(await ofAndroid()).toEqual([]);
    await rig.lab.host.shell('ip link add eth2 type bridge; ip link set eth2 up');
    await until('the warning', async () => (await ofAndroid()).length > 0);
    expect(await ofAndroid()).toEqual([
      'Android does not reach uplink eth2: all its addresses for ethernet uplinks are in use; it gets one when another ethernet uplink goes',
    ]);
    await rig.lab.host.shell('ip link del eth2');
    await until('no warning', async () => (await ofAndroid()).length === 0);
    await rig.client.ask('ArcVmShutdown', { cid: 3 });
  },
  labMissing() ?? tapMissing(),
);
