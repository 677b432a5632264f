import { execFileSync } from 'node:child_process';
import { loadNative } from '@pp/native';
import { until } from '@pp/netlink/testing';
import { CONTRACT_GROUP, GROUP_ROWS } from '@pp/ports/testing';
import { LinuxGroupPorts } from './linux-group-ports';
import { SystemClock } from './testing';

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
  ip(here, 'addr add fd09:1::1/64 dev left nodad');
  ip(here, 'link set left up');
  ip(far, 'addr add 10.9.1.2/24 dev right');
  ip(far, 'addr add fd09:1::2/64 dev right nodad');
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

  // RFC 6762 §11 and §17; UPnP Device Architecture 2.0, §1.1.2
  testHere.each([
    { family: 'ipv4', group: '224.0.0.251', neighbor: '10.9.1.2', hopLimit: 255, length: 8972 },
    { family: 'ipv6', group: 'ff02::fb', neighbor: 'fd09:1::2', hopLimit: 255, length: 8952 },
    { family: 'ipv4', group: '239.255.255.250', neighbor: '10.9.1.2', hopLimit: 2, length: 100 },
    { family: 'ipv6', group: 'ff05::c', neighbor: 'fd09:1::2', hopLimit: 2, length: 100 },
  ] as const)(
    'all that goes out bears the hop limit and arrives whole: $length bytes for $group',
    async ({ family, group, neighbor, hopLimit, length }) => {
      const [here, far] = [native.createNetns(), native.createNetns()];
      const [ifindex, right] = makeLink(here, far);
      const heard: (readonly [hopLimit: number, length: number])[] = [];
      const there = native.runInNetns(far, () =>
        native.openUdp({
          family,
          address: family === 'ipv4' ? '0.0.0.0' : '::',
          port: 5353,
          groups: [{ address: group, ifindex: right }],
          onDatagrams: (batch) => {
            for (const each of batch) heard.push([each.hopLimit, each.data.length]);
          },
          onError: (fault) => {
            throw fault;
          },
        }),
      );
      const ports = new LinuxGroupPorts(
        {
          openUdp: (options) => native.runInNetns(here, () => native.openUdp(options)),
          sendToTargets: (sockets, batch) => native.sendToTargets(sockets, batch),
        },
        new SystemClock(),
      );
      const handlers = {
        onDatagrams: () => undefined,
        onFault: (fault: Error) => {
          throw fault;
        },
      };
      const port = ports.openGroup({
        ...handlers,
        family,
        group,
        port: 5353,
        ifname: 'left',
        ifindex,
        hopLimit,
      });
      const search = ports.openSearch({ ...handlers, family, hopLimit });
      const payload = new Uint8Array(length);
      ports.sender([port]).send([payload]);
      port.answer(payload, neighbor, 5353);
      search.send(payload, ifindex, group, 5353);
      search.send(payload, ifindex, neighbor, 5353);
      await until('all of them', () => heard.length === 4);
      expect(heard).toEqual(Array.from({ length: 4 }, () => [hopLimit, length]));
      for (const each of [port, search, there]) each.close();
      for (const fd of [here, far]) native.closeFd(fd);
    },
  );
});
