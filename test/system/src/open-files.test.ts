import { DBusError } from '@pp/dbus';
import {
  ApiClient,
  eventOf,
  labMissing,
  labTest,
  Manager,
  program,
  standardLab,
  STATE_INSIDE,
  until,
  type StandardLab,
} from '@pp/lab';
import { encode, SetDnsRedirectionRuleRequestRuleType as Type } from '@pp/proto';

/** A manager that may open few files, and a client that takes what it can get. */
const OPEN_FILES = 1024;

let lab: StandardLab;
let manager: Manager;
let client: ApiClient;

beforeAll(async () => {
  if (labMissing() !== undefined) return;
  lab = await standardLab();
  const command = [program('patchpanel-manager'), '--state-dir', STATE_INSIDE, '--log-format', 'json'];
  const args = ['--uplink', 'eth0=ethernet', '--helpers', 'none'];
  const child = lab.host.spawn('prlimit', [
    `--nofile=${OPEN_FILES}:${OPEN_FILES}`,
    '--',
    ...command,
    ...args,
  ]);
  await child.line('log line "ready"', (line) => (eventOf(line) === 'ready' ? true : undefined));
  manager = new Manager(child);
  client = await ApiClient.open(lab.bus.outside);
}, 60_000);

afterAll(async () => {
  if (labMissing() !== undefined) return;
  await lab.close();
  client.close();
}, 60_000);

/** Takes lifelines until one is refused; that refusal, and our ends of the others. */
async function takeAll(): Promise<{ readonly kept: readonly number[]; readonly refusal: unknown }> {
  const rule = { type: Type.DEFAULT, inputIfname: 'vmtap0', proxyAddress: '100.115.92.130' };
  const body = encode('SetDnsRedirectionRuleRequest', rule);
  const kept: number[] = [];
  for (; kept.length < OPEN_FILES;) {
    const [keep, send] = client.native.pipe();
    kept.push(keep);
    const refusal: unknown = await client.raw('SetDnsRedirectionRule', body, [send]).then(
      () => null,
      (fault: unknown) => fault,
    );
    client.native.closeFd(send);
    if (refusal !== null) return { kept, refusal };
  }
  return { kept, refusal: null };
}

const openFiles = async (): Promise<number> =>
  Number(await lab.host.shell(`ls /proc/${manager.pid}/fd | wc -l`));

labTest('lifelines are refused before the manager is out of descriptors, and it works on', async () => {
  const before = await openFiles();
  const { kept, refusal } = await takeAll();
  expect(refusal).toBeInstanceOf(DBusError);
  expect(refusal).toMatchObject({
    name: 'org.chromium.PatchPanel.Error.ResourceExhausted',
    message: expect.stringContaining(`the manager watches ${kept.length - 1} lifelines`) as string,
  });
  expect(kept.length).toBeGreaterThan(100);
  await client.ask('TerminaVmStartup', { cid: 33 }); // a table, netlink and a TAP take descriptors too
  await client.ask('TerminaVmShutdown', { cid: 33 });
  for (const fd of kept) client.native.closeFd(fd);
  await until('all lifelines are let go', async () => (await openFiles()) <= before + 8);
  (await client.connect({ pid: -1 })).release();
});
