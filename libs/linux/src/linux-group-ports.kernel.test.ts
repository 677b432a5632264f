import { execFileSync } from 'node:child_process';
import { loadNative } from '@pp/native';
import { until } from '@pp/netlink/testing';
import { CONTRACT_GROUP, GROUP_ROWS } from '@pp/ports/testing';
import { LinuxGroupPorts } from './linux-group-ports';
import { SystemClock } from './system-clock';

const native = loadNative();

function missing(): string | undefined {
  try {
    native.closeFd(native.createNetns());
    return undefined;
  } catch {
    return 'the right to make network namespaces';
  }
}

const why = missing();
const testHere = why === undefined ? test : test.skip;

/** A wire from `left` here to `right` in another namespace. */
function makeLink(here: number, far: number): readonly [left: number, right: number] {
  const ip = (fd: number, words: string): string =>
    native.runInNetns(fd, () => execFileSync('ip', words.split(' '), { encoding: 'utf8' }));
  ip(here, `link add left type veth peer name right netns /proc/${process.pid}/fd/${far}`);
  ip(here, 'addr add 10.9.1.1/24 dev left');
  ip(here, 'link set left up');
  ip(far, 'addr add 10.9.1.2/24 dev right');
  ip(far, 'link set right up');
  for (const [fd, name] of [
    [here, 'left'],
    [far, 'right'],
  ] as const)
    for (let looks = 0; !ip(fd, `-o link show ${name}`).includes(' state UP '); looks++)
      if (looks === 2000) throw new Error(`${name} has no carrier`); // which the kernel follows in its own time
  const indexOf = (fd: number, name: string): number => Number.parseInt(ip(fd, `-o link show ${name}`), 10);
  return [indexOf(here, 'left'), indexOf(far, 'right')];
}

describe(`LinuxGroupPorts${why === undefined ? '' : ` (needs ${why})`}`, () => {
  for (const { name, run } of GROUP_ROWS)
    testHere(name, async () => {
      const [here, far] = [native.createNetns(), native.createNetns()];
      const [ifindex, right] = makeLink(here, far);
      const heard: string[] = [];
      const neighbor = native.runInNetns(far, () =>
        native.openUdp({
          family: 'ipv4',
          address: '0.0.0.0',
          port: CONTRACT_GROUP.port,
          device: 'right',
          groups: [{ address: CONTRACT_GROUP.address, ifindex: right }],
          multicastIfindex: right,
          multicastLoop: false,
          onDatagrams: (batch) => {
            for (const { address, port, data } of batch)
              heard.push(`${address}:${port} ${String.fromCharCode(...data)}`);
          },
          onError: (fault) => {
            throw fault;
          },
        }),
      );
      const inside = {
        openUdp: (options: Parameters<typeof native.openUdp>[0]) =>
          native.runInNetns(here, () => native.openUdp(options)),
        sendToTargets: (...args: Parameters<typeof native.sendToTargets>) => native.sendToTargets(...args),
      };
      try {
        const { seen, want } = await run({
          ports: new LinuxGroupPorts(inside, new SystemClock()),
          ifname: 'left',
          ifindex,
          own: '10.9.1.1',
          neighbor: '10.9.1.2',
          say: (text, to) => {
            const data = Uint8Array.from(text, (each) => each.charCodeAt(0));
            if (to === 'group') neighbor.send(data, CONTRACT_GROUP.address, CONTRACT_GROUP.port);
            else neighbor.send(data, '10.9.1.1', to);
          },
          heard: () => heard,
          until: (condition) => until('the condition', condition),
        });
        expect(seen).toEqual(want);
      } finally {
        neighbor.close();
        for (const fd of [here, far]) native.closeFd(fd);
      }
    });
});
