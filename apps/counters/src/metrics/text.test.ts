import { byGuest, byUplink, COUNTED, Rig, VM_MARK } from '../testing/rig';
import { metricsText } from './text';

let rig: Rig;
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => {
  rig.close();
});

test('the exposition format: counters with labels, the rest without', async () => {
  const service = await rig.started();
  rig.table.pass(byUplink('uplink_tx', 'tun0', VM_MARK), 50n);
  rig.table.pass(byGuest('guest_tx', 'vmtap0', 'tun0'), 50n);
  await service.refresh();
  const lines = metricsText(service).split('\n');
  expect(lines.filter((line) => !line.startsWith('#'))).toEqual([
    'patchpanel_traffic_bytes_total{device="vpn",source="CROSVM",family="IPV4",direction="tx"} 50',
    'patchpanel_traffic_packets_total{device="vpn",source="CROSVM",family="IPV4",direction="tx"} 1',
    'patchpanel_guest_traffic_bytes_total{guest="termina/5",device="vpn",source="CROSVM",family="IPV4",direction="tx"} 50',
    'patchpanel_guest_traffic_packets_total{guest="termina/5",device="vpn",source="CROSVM",family="IPV4",direction="tx"} 1',
    'patchpanel_counters_missed_packets_total{set="uplinks"} 0',
    'patchpanel_counters_missed_packets_total{set="guests"} 0',
    'patchpanel_counters_table_losses_total 0',
    'patchpanel_counters_degraded 0',
    '',
  ]);
  const types = lines.filter((line) => line.startsWith('# TYPE'));
  expect([types.length, types.at(-1)]).toEqual([7, '# TYPE patchpanel_counters_degraded gauge']);
});

test('a name with a quote, a backslash and a line feed ends no label', async () => {
  const service = await rig.started();
  const guest = 'vm/"}\\\n 1';
  await service.setCounted({ ...COUNTED, links: [{ ifname: 'vmtap0', guest }] });
  rig.table.pass(byGuest('guest_tx', 'vmtap0', 'eth0'), 50n);
  await service.refresh();
  expect(metricsText(service).split('\n')).toContain(
    'patchpanel_guest_traffic_bytes_total{guest="vm/\\"}\\\\\\n 1",device="eth0",source="CROSVM",family="IPV4",direction="tx"} 50',
  );
});
