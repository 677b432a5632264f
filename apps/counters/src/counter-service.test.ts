import { KernelError, seconds } from '@pp/base';
import { ARC_MARK, byGuest, byUplink, COUNTED, Rig, rowWords, START, VM_MARK } from './testing/rig';
import { warningsOf } from './status';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => {
  rig.close();
});

test('what passes is in the sums when they are asked for', async () => {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_rx', 'eth0', ARC_MARK), 100n);
  rig.table.pass(byUplink('uplink_tx', 'eth0', ARC_MARK), 40n);
  rig.table.pass(byUplink('uplink_tx', 'eth0', 0, 6), 7n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual([
    'eth0 0 v6 rx 0/0 tx 7/1',
    'eth0 3 v4 rx 100/1 tx 40/1',
  ]);
});

test('every VPN is the device vpn; a guest goes by its name', async () => {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_tx', 'tun0', VM_MARK), 50n);
  rig.table.pass(byGuest('guest_tx', 'vmtap0', 'tun0'), 50n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual([
    'termina/5 vpn 4 v4 rx 0/0 tx 50/1',
    'vpn 4 v4 rx 0/0 tx 50/1',
  ]);
});

test('a link belongs to whom it belonged to when the packet passed', async () => {
  const service = await rig.started();
  rig.table.pass(byGuest('guest_tx', 'vmtap0', 'eth0'), 50n);
  await service.setCounted({ ...COUNTED, links: [{ ifname: 'vmtap0', guest: 'plugin/9' }] });
  rig.table.pass(byGuest('guest_tx', 'vmtap0', 'eth0'), 3n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual([
    'plugin/9 eth0 4 v4 rx 0/0 tx 3/1',
    'termina/5 eth0 4 v4 rx 0/0 tx 50/1',
  ]);
});

test('a link that the manager tells of in a moment is not put down to its bare name', async () => {
  const service = await rig.started();
  rig.table.pass(byGuest('guest_tx', 'arc_ns7', 'eth0', 0x400), 50n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual([]);
  await service.setCounted({ ...COUNTED, links: [{ ifname: 'arc_ns7', guest: 'namespace/7' }] });
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual(['namespace/7 eth0 8 v4 rx 0/0 tx 50/1']);
});

test('one that it never tells of is, with the period', async () => {
  const service = await rig.started();
  rig.table.pass(byGuest('guest_tx', 'arc_ns7', 'eth0', 0x400), 50n);
  await rig.advance(10_000, service);
  expect(rowWords(service.ledger.totals.rows())).toEqual(['arc_ns7 eth0 8 v4 rx 0/0 tx 50/1']);
});

test.each([
  { name: 'kill -9, the table stays', stop: false, onExit: 'keep', between: 5n, want: 105n },
  {
    name: 'SIGTERM keep: it counts on while nobody is there',
    stop: true,
    onExit: 'keep',
    between: 5n,
    want: 105n,
  },
  { name: 'SIGTERM clean: the values are kept', stop: true, onExit: 'clean', between: 5n, want: 100n },
] as const)('$name', async ({ stop, onExit, between, want }) => {
  const service = await rig.started({ onExit });
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 100n);
  await service.refresh();
  if (stop) await service.stop();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), between);
  const next = await rig.started({ onExit });
  await next.refresh();
  await next.refresh();
  expect([...next.ledger.totals.rows()].map(({ rxBytes }) => rxBytes)).toEqual([want]);
});

test('a device that is gone is still told, and its name counts on when it returns', async () => {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 100n);
  await service.setCounted({ uplinks: [], links: [] });
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 1n); // it is not an uplink now
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual(['eth0 0 v4 rx 100/1 tx 0/0']);
  await service.setCounted(COUNTED);
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 10n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual(['eth0 0 v4 rx 110/2 tx 0/0']);
});

test('uplinks of the last run are counted before the manager tells', async () => {
  await rig.started();
  const next = rig.open();
  await next.start();
  expect(rig.table.wish?.counted).toEqual(['eth0', 'tun0']);
});

test('a flushed ruleset: the table is there again at once, no value goes back, and the status says what may be missing', async () => {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 100n);
  await service.refresh();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 7n); // lost
  rig.table.flush();
  expect(rig.table.wish).toBeNull();
  await rig.advance(3000, service);
  expect(rig.table.wish).toMatchObject({ counted: ['eth0', 'tun0'] });
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 1n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual(['eth0 0 v4 rx 101/2 tx 0/0']);
  expect(warningsOf(service)).toEqual([
    "the counters' table was deleted or damaged by another program once, last at 2026-11-21T14:00:03.000Z: what passed in the 3.0 s before may be missing; this is said until the month ends",
  ]);
  const next = rig.open();
  expect(next.ledger.losses).toEqual({ count: 1, lastAt: START + 3000, unseenMs: 3000 });
});

test('a flush is warned of as long as its month lasts, by a later run too, and is counted for ever', async () => {
  const service = await rig.started();
  rig.table.flush();
  await rig.advance(3000, service);
  const warnings = (at: number): number => {
    rig.wall = at;
    return warningsOf(next).length;
  };
  const next = rig.open();
  const monthEnds = Date.UTC(2026, 11, 1);
  expect([START, monthEnds - 1, monthEnds, monthEnds + 1].map(warnings)).toEqual([1, 1, 0, 0]);
  expect(next.ledger.losses.count).toBe(1);
});

test('elements that somebody sets to zero: no sum goes back, none is counted twice, and it is said', async () => {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 100n);
  await service.refresh();
  const all = await rig.table.read(rig.table.wish?.run ?? '');
  await rig.table.forget('', all?.elements ?? []);
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 30n); // lost: nobody can tell whether it was counted before
  rig.wall += 2000;
  await service.refresh('uplinks');
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 5n);
  await service.refresh();
  expect(rowWords(service.ledger.totals.rows())).toEqual(['eth0 0 v4 rx 105/2 tx 0/0']);
  expect(service.ledger.losses).toEqual({ count: 1, lastAt: START + 2000, unseenMs: 2000 });
});

test('a full set is seen', async () => {
  const service = await rig.started({ setSize: 2 });
  for (const mark of [0x100, 0x200, 0x300]) rig.table.pass(byUplink('uplink_rx', 'eth0', mark), 10n);
  await service.refresh();
  expect(warningsOf(service)).toEqual([
    'a set of uplinks is full with 2 elements: 1 packets were not counted; start counters with a larger --set-size',
  ]);
});

test('another size takes over what the old sets have, and begins new ones', async () => {
  const service = await rig.started({ setSize: 16 });
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 100n);
  await service.stop();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 11n);
  const next = await rig.started({ setSize: 32 });
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 1n);
  await next.refresh();
  expect(rig.table.wish).toMatchObject({ run: 'id2_32', size: 32 });
  expect(rowWords(next.ledger.totals.rows())).toEqual(['eth0 0 v4 rx 112/3 tx 0/0']);
});

test('places of guests that are gone are freed when half of the set is used, and nothing is lost or counted twice by it', async () => {
  const service = await rig.started({ setSize: 4 });
  let sum = 0n;
  for (let n = 0; n < 20; n++) {
    const link = { ifname: `arc_ns${n % 6}`, guest: `namespace/${n}` };
    await service.setCounted({ ...COUNTED, links: [link] });
    rig.table.pass(byGuest('guest_tx', link.ifname, 'eth0'), 10n);
    await service.refresh();
    sum += 10n;
  }
  await service.refresh();
  expect(service.kept.use.missed.guests).toBe(0n);
  expect([...service.ledger.totals.rows()].reduce((all, { txBytes }) => all + txBytes, 0n)).toBe(sum);
  const next = rig.open();
  await next.start();
  await next.refresh();
  expect([...next.ledger.totals.rows()].reduce((all, { txBytes }) => all + txBytes, 0n)).toBe(sum);
});

test('samples go to the hour and month in which their time began', async () => {
  rig.wall = Date.UTC(2026, 10, 30, 23, 59, 55);
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 100n);
  await rig.advance(5005, service); // the sample of the full hour is 5 ms after it
  rig.table.pass(byUplink('uplink_rx', 'eth0'), 1n);
  await rig.advance(10_000, service);
  const { months, hours } = service.ledger;
  expect(months.names()).toEqual(['2026-11', '2026-12']);
  expect(hours.names()).toEqual(['2026-11-30T23', '2026-12-01T00']);
  expect(months.names().map((name) => rowWords(months.find(name)?.rows() ?? []))).toEqual([
    ['eth0 0 v4 rx 100/1 tx 0/0'],
    ['eth0 0 v4 rx 1/1 tx 0/0'],
  ]);
});

test('what the kernel refuses is told to who asks, said once in the log, and tried again', async () => {
  const service = await rig.started();
  const refusal = new KernelError('EPERM', 'element.dump');
  rig.table.refusal = refusal;
  await expect(service.refresh()).rejects.toBe(refusal);
  rig.table.refusal = refusal;
  await rig.advance(10_000, service);
  expect(service.kept.fault).toBe('element.dump: EPERM');
  await rig.advance(10_000, service);
  expect(service.kept.fault).toBeNull();
  expect(rig.log.lines.filter((line) => line.includes('table.refused'))).toHaveLength(1);
});

test('a table that the kernel refuses again and again is one loss, of all the time that there was none', async () => {
  const service = await rig.started();
  rig.table.flush();
  const install = rig.table.install.bind(rig.table);
  rig.table.install = () => Promise.reject(new KernelError('ENOMEM', 'table.load'));
  for (let n = 0; n < 3; n++)
    await expect(rig.advance(10_000, service)).rejects.toThrow('table.load: ENOMEM');
  rig.table.install = install;
  await rig.advance(10_000, service);
  expect(service.ledger.losses).toEqual({ count: 1, lastAt: START + 40_000, unseenMs: 40_000 });
});

test('whom the manager named while the kernel refused is counted from the next look on, and nobody has damaged anything', async () => {
  const service = await rig.started();
  const refusal = new KernelError('EINTR', 'element.dump');
  rig.table.refusal = refusal;
  const counted = { uplinks: [{ ifname: 'wlan0', vpn: false }], links: [] };
  await expect(service.setCounted(counted)).rejects.toBe(refusal);
  rig.wall += 10_000;
  rig.clock.advance(seconds(10));
  await service.refresh();
  expect([rig.table.wish?.counted, service.ledger.losses.count]).toEqual([['wlan0'], 0]);
});

test('where there can be no table it does not start', async () => {
  rig.table.refusal = new KernelError('EPERM', 'set.dump');
  await expect(rig.open().start()).rejects.toThrow('set.dump: EPERM');
});

test('those who ask at once have one look at the kernel; who asks later has another', async () => {
  const service = await rig.started();
  const looks = jest.spyOn(rig.table, 'read');
  await Promise.all([service.refresh(), service.refresh(), service.refresh('uplinks'), service.refresh()]);
  expect(looks).toHaveBeenCalledTimes(2);
  await service.refresh();
  expect(looks).toHaveBeenCalledTimes(3);
});

test('nothing passes, nothing is written', async () => {
  const service = await rig.started();
  const { size } = service.kept.history;
  await rig.advance(10_000, service);
  await rig.advance(10_000, service);
  expect(service.kept.history.size).toBe(size);
});
