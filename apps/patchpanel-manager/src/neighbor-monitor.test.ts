import { seconds } from '@pp/base';
import { VirtualClock } from '@pp/base/testing';
import type { NeighborState, Reachability } from '@pp/ports';
import { FakeNeighborCache } from '@pp/ports/testing';
import type { WatchedNeighbor } from './domain/watched-neighbors';
import { NeighborMonitor } from './neighbor-monitor';

const ROUTER: WatchedNeighbor = { ifindex: 3, address: '192.0.2.1', role: 'GATEWAY' };
const SERVER: WatchedNeighbor = { ifindex: 3, address: '192.0.2.53', role: 'DNS_SERVER' };

async function monitored(...watched: readonly WatchedNeighbor[]) {
  const [cache, clock] = [new FakeNeighborCache(), new VirtualClock()];
  const told: string[] = [];
  const monitor = new NeighborMonitor({
    cache,
    clock,
    which: 'wifi',
    nameservers: () => [],
    onEvent: ({ address, role }, event) => told.push(`${role} ${address} ${event}`),
  });
  await monitor.start();
  monitor.watch(watched);
  return { cache, clock, monitor, told };
}

const router = (state: Reachability): NeighborState => ({ ifindex: 3, address: '192.0.2.1', state });

const rows: readonly {
  readonly name: string;
  readonly heard: readonly Reachability[];
  readonly want: readonly string[];
}[] = [
  { name: 'it is reachable', heard: ['reachable'], want: ['REACHABLE'] },
  { name: 'it fails', heard: ['failed'], want: ['FAILED'] },
  { name: 'it fails again and again', heard: ['failed', 'unsure', 'failed'], want: ['FAILED'] },
  { name: 'it comes back', heard: ['failed', 'reachable'], want: ['FAILED', 'REACHABLE'] },
  { name: 'states in between say nothing', heard: ['stale', 'unsure', 'gone'], want: [] },
  {
    name: 'a deletion says nothing, and what was told stays told',
    heard: ['reachable', 'gone', 'reachable'],
    want: ['REACHABLE'],
  },
];

test.each(rows)('events: $name', async ({ heard, want }) => {
  const { cache, told } = await monitored(ROUTER);
  cache.tell(...heard.map(router));
  expect(told).toEqual(want.map((event) => `GATEWAY 192.0.2.1 ${event}`));
});

test('others, and the same address on another link, are of no interest', async () => {
  const { cache, told } = await monitored(ROUTER);
  cache.tell({ ...router('failed'), ifindex: 4 }, { ...router('failed'), address: '192.0.2.2' });
  expect(told).toEqual([]);
});

test('one that is first seen stale or reachable is probed at once, and all of these every minute', async () => {
  const { cache, clock } = await monitored(ROUTER, SERVER);
  cache.tell(router('stale'));
  expect(cache.probed).toEqual(['192.0.2.1 on 3']);
  cache.tell(router('reachable'));
  expect(cache.probed).toHaveLength(1);
  clock.advance(seconds(60));
  expect(cache.probed).toHaveLength(2);
  expect(cache.reads).toBe(2); // at the start, and because nothing is known of the server
  clock.advance(seconds(60));
  expect(cache.probed).toHaveLength(3);
});

test('a new address makes the cache be read; what is known of the others stays, but is told anew', async () => {
  const { cache, monitor, told } = await monitored(ROUTER);
  cache.tell(router('reachable'));
  monitor.watch([ROUTER, SERVER]);
  expect(cache.reads).toBe(2);
  cache.tell(router('reachable'));
  expect(told).toEqual(['GATEWAY 192.0.2.1 REACHABLE', 'GATEWAY 192.0.2.1 REACHABLE']);
  expect(cache.probed).toHaveLength(1);
});

test('the same list changes nothing; an empty one stops the clock', async () => {
  const { cache, clock, monitor, told } = await monitored(ROUTER);
  cache.tell(router('reachable'));
  monitor.watch([ROUTER]);
  cache.tell(router('reachable'));
  expect(told).toHaveLength(1);
  monitor.watch([]);
  expect(clock.pending()).toEqual([]);
});
