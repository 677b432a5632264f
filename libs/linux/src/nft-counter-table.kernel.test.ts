/** The rows of the port, and guests between the interfaces, on the kernel's own nftables. */
import { MemoryLog } from '@pp/base/testing';
import { LINK_GROUP } from '@pp/datapath';
import { describeOnKernel, until } from '@pp/netlink/testing';
import { COUNTER_TABLE_ROWS, sortedElements } from '@pp/ports/testing';
import { NftCounterTable } from './nft-counter-table';
import { SystemClock, TestHost } from './testing';

describeOnKernel('the counters on Linux', (native) => {
  let host: TestHost;
  let table: NftCounterTable;

  beforeEach(() => {
    host = new TestHost(native);
    table = new NftCounterTable({ native, clock: new SystemClock(), log: new MemoryLog(), netnsFd: host.fd });
  });
  afterEach(() => {
    table.close();
    host.close();
  });

  test.each(COUNTER_TABLE_ROWS)('$name', async ({ run, want }) => {
    const ping = (mark: number): void => {
      host.run('ping', ['-n', '-q', '-c', '1', '-m', String(mark), '127.0.0.1']);
    };
    const flush = (): void => {
      host.run('nft', ['flush', 'ruleset']);
    };
    expect(await run({ table, ping, flush }, until)).toEqual(want);
  });

  test('a flushed chain and a flushed set of names are seen', async () => {
    const wish = { run: 'a1', size: 16, counted: ['lo'] };
    const damages = [
      ['flush', 'chain', 'inet', 'patchpanel_counters', 'tx'],
      ['flush', 'set', 'inet', 'patchpanel_counters', 'counted'],
    ];
    for (const damage of damages) {
      await table.install(wish);
      expect(await table.isIntact(wish)).toBe(true);
      host.run('nft', damage);
      expect(await table.isIntact(wish)).toBe(false);
    }
  });

  test('what passes between a link of our group and an uplink counts for the pair, in both families', async () => {
    await table.install({ run: 'a1', size: 16, counted: ['wan'] });
    host.run('unshare', ['--mount', 'sh', '-euc', GUEST_TO_FAR]);
    const elements = (await table.read('a1'))?.elements ?? [];
    const wanted = sortedElements(elements).filter(({ set }) => set.startsWith('guest'));
    expect(wanted).toEqual(
      (['guest_rx', 'guest_tx'] as const).flatMap((set) => [
        { ...key(set, 4), bytes: 168n, packets: 2n },
        { ...key(set, 6), bytes: 104n, packets: 1n },
      ]),
    );
  });
});

const key = (set: 'guest_rx' | 'guest_tx', family: 4 | 6): object => ({
  ...{ set, ifname: 'tap', uplink: 'wan', mark: 0, family },
  key: `${set} tap wan 0 ${family}`,
});

/** guest -- tap (our group) | up -- far: this namespace forwards, and the guest asks. All of it goes with the script. */
const GUEST_TO_FAR = `
  mount -t tmpfs tmpfs /run
  for side in guest far; do ip netns add $side; ip -n $side link set lo up; done
  echo 1 > /proc/sys/net/ipv4/ip_forward
  echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
  join() { # LINK GROUP SIDE NUMBER
    ip link add $1 type veth peer name eth0 netns $3
    ip link set $1 group $2 up
    ip addr add 10.0.$4.1/24 dev $1
    ip addr add fd0$4::1/64 dev $1 nodad
    ip -n $3 addr add 10.0.$4.2/24 dev eth0
    ip -n $3 addr add fd0$4::2/64 dev eth0 nodad
    ip -n $3 link set eth0 up
    ip -n $3 route add default via 10.0.$4.1
    ip -n $3 route add default via fd0$4::1
  }
  join tap ${LINK_GROUP} guest 1
  join wan 0 far 2
  # The kernel follows carriers in its own time, and what is sent before is lost.
  for side in "ip" "ip -n guest" "ip -n far"; do
    for look in $(seq 2000); do $side -o link show | grep -qE 'state (LOWERLAYER)?DOWN' || break; done
  done
  ip netns exec guest ping -n -q -c 2 -i 0.01 10.0.2.2
  ip netns exec guest ping -n -q -c 1 fd02::2
`;
