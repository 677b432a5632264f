import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryLog } from '@pp/base/testing';
import { LINK_GROUP } from '@pp/datapath';
import type { Native, WorkerStep } from '@pp/native';
import { describeOnKernel, until } from '@pp/netlink/testing';
import { hostInspectionRows } from '@pp/ports/testing';
import { tryDatapath } from './datapath-trial';
import { LinuxHostInspection } from './linux-host-inspection';
import { SystemClock, TestHost } from './testing';

const directory = mkdtempSync(join(tmpdir(), 'inspected-'));
writeFileSync(join(directory, 'note'), 'hello\n');

afterAll(() => {
  rmSync(directory, { recursive: true });
});

const NO_TAP: WorkerStep = { file: '/nonexistent/tun', value: '' };

describeOnKernel('LinuxHostInspection', (native) => {
  /** As on a host whose /dev has none. */
  const withoutTaps: Native['openNetlinkWorker'] = (options) => {
    const worker = native.openNetlinkWorker(options);
    return {
      run: (steps, how) => {
        worker.run(
          steps.map((step) => ('tap' in step ? NO_TAP : step)),
          how,
        );
      },
      close: () => {
        worker.close();
      },
    };
  };
  let host: TestHost;
  let inspection: LinuxHostInspection;

  beforeEach(() => {
    host = new TestHost(native);
    host.ip('link add near type veth peer name far');
    host.ip(`link add arc_ns0 type veth peer name veth0`);
    host.ip(`link set arc_ns0 group ${LINK_GROUP}`);
    host.ip('address add 192.0.2.1/24 dev near');
    for (const ifname of ['near', 'far', 'arc_ns0']) host.ip(`link set ${ifname} up`);
    host.run('nft', ['add table ip filter; add chain ip filter FORWARD']);
    host.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
    inspection = new LinuxHostInspection({
      native,
      log: new MemoryLog(),
      clock: new SystemClock(),
      netnsFd: host.fd,
    });
  });

  afterEach(() => {
    inspection.close();
    host.close();
  });

  test.each(hostInspectionRows(directory))('$name', async ({ run, want }) => {
    expect(await run(inspection)).toEqual(want);
  });

  test('looking changes nothing', async () => {
    await until('carriers are known, which takes up to a second', () =>
      host.ip('link show arc_ns0').includes(' state LOWERLAYERDOWN'),
    );
    const look = (): readonly string[] => [
      host.ip('-d link'),
      host.ip('route show table all'),
      host.run('nft', ['list', 'ruleset']),
    ];
    const before = look();
    await inspection.network();
    await inspection.ruleset();
    await inspection.tryDatapath();
    expect(look()).toEqual(before);
  });

  test('the step that is refused is told, and nothing stays open', async () => {
    const common = {
      native: { ...native, openNetlinkWorker: withoutTaps },
      log: new MemoryLog(),
      clock: new SystemClock(),
    };
    expect(await tryDatapath({ ...common, taps: true })).toMatch(/^link\.add tap vmtap0: ENOENT/);
    expect(await tryDatapath({ ...common, taps: false })).toBeNull();
  });
});
