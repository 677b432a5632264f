import { labMissing, labTest, program, standardLab, startManager, type StandardLab } from '@pp/lab';
// eslint-disable-next-line @nx/enforce-module-boundaries -- tools is no project: nothing but the tests and the packaging has it
import { bashCompletion } from '../../../tools/help/bash-completion';
// eslint-disable-next-line @nx/enforce-module-boundaries -- the same
import { readHelp } from '../../../tools/help/read-help';
import { offersOf, wordsIn } from './bash-offers';

/** What bash offers on a host with a manager: what its status tells, and the kernel. */
let lab: StandardLab;
let completion: string;

beforeAll(async () => {
  if (labMissing() !== undefined) return;
  lab = await standardLab();
  await startManager(lab.host);
  completion = bashCompletion(readHelp(program('patchpanelctl')));
}, 60_000);

afterAll(async () => {
  if (labMissing() !== undefined) return;
  await lab.close();
}, 60_000);

const CTL = [program('patchpanelctl'), '--state-dir', '/run/lab/state'] as const;

async function offered(line: string): Promise<readonly string[]> {
  const printed = await lab.host.run('bash', offersOf(completion, [...CTL, ...line.split(' ')]));
  expect(printed.stderr).toBe('');
  return wordsIn(printed.stdout);
}

labTest('VMs that run and ports that have a rule are offered where they are to end', async () => {
  const [ctl, ...state] = CTL;
  for (const line of [
    'vm start termina --id 33',
    'vm start termina --id 340',
    'vm start plugin --id 7',
    'port forward 8080 --on eth0 --to 100.115.92.26:80',
    'port lock 5353/udp',
  ])
    await lab.host.ok(ctl, [...state, ...line.split(' ')]);
  for (const [line, want] of [
    ['vm stop termina --id ', ['33', '340']],
    ['vm stop termina --id 34', ['340']],
    ['vm stop plugin --id ', ['7']],
    ['vm start termina --id ', []],
    ['port close 8', ['8080/tcp']],
    ['port close ', expect.arrayContaining(['8080/tcp', '5353/udp', '--on'])],
    ['port close 8080 5', []],
    ['port open 8', []],
  ] as const)
    expect([line, await offered(line)]).toEqual([line, want]);
});

labTest('an interface is offered by its name; one whose name bash would run is not', async () => {
  await lab.host.ok('ip', ['link', 'add', '$(pwd)', 'type', 'veth', 'peer', 'name', 'near-0.5_a']);
  expect([...(await offered('port open 80 --on '))].sort()).toEqual(
    expect.arrayContaining(['eth0', 'lo', 'near-0.5_a']),
  );
  expect((await offered('port open 80 --on ')).filter((word) => /[$(/]/.test(word))).toEqual([]);
  await lab.host.ok('ip', ['link', 'del', 'near-0.5_a']);
});
