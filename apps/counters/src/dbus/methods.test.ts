import { KernelError } from '@pp/base';
import { decodeStrict, encode } from '@pp/proto';
import { ARC_MARK, byUplink, Rig } from '../testing/rig';
import { getTrafficCounters } from './methods';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => {
  rig.close();
});

const ask = (...devices: string[]): Uint8Array => encode('TrafficCountersRequest', { devices });

test('sorted by device, source and family; sources that the API does not tell apart are one; the filter takes names', async () => {
  const service = await rig.started();
  const method = getTrafficCounters(service);
  rig.table.pass(byUplink('uplink_tx', 'tun0'), 1n);
  rig.table.pass(byUplink('uplink_rx', 'eth0', 0x2300), 10n); // tethered: SYSTEM
  rig.table.pass(byUplink('uplink_tx', 'eth0', 0x0400, 6), 7n);
  rig.table.pass(byUplink('uplink_rx', 'eth0', 0x0400), 5n); // SYSTEM
  rig.table.pass(byUplink('uplink_rx', 'eth0', ARC_MARK), 3n);
  const answer = async (...devices: string[]): Promise<unknown> => {
    const reply = await method(ask(...devices));
    if (!reply.ok) return reply.sentence;
    const decoded = decodeStrict('TrafficCountersResponse', reply.value);
    return decoded.ok
      ? decoded.value.counters.map(
          ({ device, source, ipFamily, rxBytes, txBytes }) =>
            `${device} ${source} ${ipFamily} ${rxBytes} ${txBytes}`,
        )
      : decoded.sentence;
  };
  expect(await answer()).toEqual(['eth0 3 1 3 0', 'eth0 8 1 15 0', 'eth0 8 2 0 7', 'vpn 0 1 0 1']);
  expect(await answer('vpn', 'unknown')).toEqual(['vpn 0 1 0 1']);
  expect(await answer('unknown')).toEqual([]);
});

test('a body that is no request, and a kernel that does not tell, are refusals', async () => {
  const service = await rig.started();
  const method = getTrafficCounters(service);
  expect(await method(Uint8Array.of(8, 1))).toMatchObject({ ok: false, reason: 'InvalidArgument' });
  rig.table.refusal = new KernelError('EPERM', 'element.dump');
  expect(await method(ask())).toEqual({
    ok: false,
    reason: 'Failed',
    sentence: 'the kernel does not tell its counters: element.dump: EPERM',
  });
});
