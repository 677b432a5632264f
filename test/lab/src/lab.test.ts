import { existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Child } from './child';
import { Lab } from './lab';
import { labMembers } from './lab-directory';
import { labTest } from './lab-test';
import { namespaceOf } from './process-table';
import { pings, reaches } from './services/probes';
import { until } from './until';

const A = { ifname: 'eth0', mac: '02:00:00:00:00:0a', addresses: ['10.9.0.1/24', 'fd09::1/64'] };
const B = { ifname: 'eth0', mac: '02:00:00:00:00:0b', addresses: ['10.9.0.2/24', 'fd09::2/64'] };

async function withLab(use: (lab: Lab) => Promise<void> | void): Promise<void> {
  const lab = await Lab.open();
  try {
    await use(lab);
  } finally {
    await lab.close();
  }
}

labTest('hosts on one segment reach each other, at once and by both families', () =>
  withLab(async (lab) => {
    const [a, b] = await Promise.all([lab.host('a'), lab.host('b')]);
    await Promise.all([lab.plug(a, 'lan', A), lab.plug(b, 'lan', B)]);
    expect([await reaches(a, '10.9.0.2'), await reaches(a, 'fd09::2')]).toEqual([true, true]);
    expect(await pings(a, '10.9.0.3')).toBe(false);
  }),
);

labTest('a host has a name, /run, /sys and named namespaces of its own, and reno', () =>
  withLab(async (lab) => {
    const a = await lab.host('a');
    await lab.plug(a, 'lan', A);
    await a.shell('ip netns add only-here');
    expect(
      await a.shell(
        'hostname; ls /run/netns; ls /sys/class/net; cat /proc/sys/net/ipv4/tcp_congestion_control',
      ),
    ).toBe('a\nonly-here\neth0\nlo\nreno\n');
    expect(existsSync('/run/netns/only-here')).toBe(false);
    expect(namespaceOf(a.pid, 'net')).not.toBe(namespaceOf('self', 'net'));
  }),
);

labTest('a guest shares the mounts of its host and nothing of its network', () =>
  withLab(async (lab) => {
    const host = await lab.host('host');
    await lab.plug(host, 'lan', A);
    const guest = await lab.guest(host, 'guest');
    expect(await guest.ok('ip', ['-br', 'link'])).toMatch(/^lo .*\n$/);
    expect(namespaceOf(guest.pid, 'mnt')).toBe(namespaceOf(host.pid, 'mnt'));
    await guest.end();
    expect(namespaceOf(guest.pid, 'net')).toBeUndefined();
  }),
);

labTest('a UNIX socket in the shared directory joins a host and the test', () =>
  withLab(async (lab) => {
    const host = await lab.host('host');
    const server = createServer((socket) => socket.end('from outside'));
    await once(server.listen(join(host.shared, 'door')), 'listening');
    const ask = `require('net').connect('/run/lab/door').pipe(process.stdout)`;
    expect(await host.ok(process.execPath, ['-e', ask])).toBe('from outside');
    server.close();
  }),
);

labTest('two labs at once do not see each other', async () => {
  await withLab((first) =>
    withLab(async (second) => {
      const [a, b] = await Promise.all([first.host('a'), second.host('a')]);
      await Promise.all([first.plug(a, 'lan', A), second.plug(b, 'lan', B)]);
      expect([await pings(a, '10.9.0.2'), await pings(b, '10.9.0.1')]).toEqual([false, false]);
      await second.close();
      expect(await reaches(a, '10.9.0.1')).toBe(true);
    }),
  );
});

labTest('after close nothing is left, whoever detached itself from the lab', async () => {
  const links = readdirSync('/proc/sys/net/ipv4/conf');
  const lab = await Lab.open();
  const host = await lab.host('host');
  await lab.plug(host, 'lan', A);
  const cleared = Number(await host.shell('setsid env -i /bin/sleep infinity > /dev/null 2>&1 & echo $!'));
  const elsewhere = Number(await host.shell('setsid unshare -m sleep infinity > /dev/null 2>&1 & echo $!'));
  const members = [host.pid, cleared, elsewhere];
  await until('all are members', () =>
    members.every((pid) => labMembers(lab.directory).some((each) => each.pid === pid)),
  );
  expect(readdirSync('/proc/sys/net/ipv4/conf')).toEqual(links);

  await lab.close();
  expect(members.map((pid) => namespaceOf(pid, 'net'))).toEqual([undefined, undefined, undefined]);
  expect(labMembers(lab.directory)).toEqual([]);
  expect(existsSync(lab.directory)).toBe(false);
  await lab.close(); // idempotent
  await expect(lab.host('late')).rejects.toThrow('the lab is closed');
});

labTest('what a killed run left is cleared by the next one, and the lab of a living one is not', async () => {
  const crashed = openLabElsewhere();
  const living = openLabElsewhere();
  const [left, kept] = await Promise.all([crashed.line('its lab', labLine), living.line('its lab', labLine)]);
  crashed.kill('SIGKILL');
  await crashed.exited;
  expect(namespaceOf(left.stray, 'net')).toBeDefined();
  await until('the holder went with its owner', () => namespaceOf(left.holder, 'net') === undefined);

  await withLab(() => {
    expect(namespaceOf(left.stray, 'net')).toBeUndefined();
    expect(existsSync(left.directory)).toBe(false);
    expect(existsSync(kept.directory)).toBe(true);
    expect(namespaceOf(kept.holder, 'net')).toBeDefined();
    expect(namespaceOf(kept.stray, 'net')).toBeDefined();
  });

  living.kill('SIGKILL');
  await living.exited;
  await withLab(() => {
    expect(existsSync(kept.directory)).toBe(false);
    expect(namespaceOf(kept.stray, 'net')).toBeUndefined();
  });
});

interface LabElsewhere {
  readonly directory: string;
  readonly holder: number;
  readonly stray: number;
}

/** Another process that opens a lab, starts a process that would outlive it, says so, and waits to be killed. */
function openLabElsewhere(): Child {
  const tsx = pathToFileURL(require.resolve('tsx')).href;
  return new Child(process.execPath, ['--import', tsx, join(__dirname, 'testing', 'lab-to-be-killed.ts')]);
}

function labLine(line: string): LabElsewhere | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as LabElsewhere) : undefined;
}
