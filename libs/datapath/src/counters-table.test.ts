import { COUNTERS_RULES, countersTableText } from './counters-table';

const TABLE = { run: 'a1', size: 4, counted: ['eth0', 'wg@home'] };
const lines = (...args: Parameters<typeof countersTableText>): readonly string[] =>
  countersTableText(...args).split('\n');

test('the whole text, which a reader can judge', () => {
  expect(countersTableText(TABLE, ['uplink_rx_old'])).toBe(`add table inet patchpanel_counters
add counter inet patchpanel_counters missed_uplink
add counter inet patchpanel_counters missed_guest
add set inet patchpanel_counters counted { type ifname; }
add set inet patchpanel_counters uplink_rx_a1 { type ifname . mark . nf_proto; size 4; flags dynamic; counter; }
add set inet patchpanel_counters uplink_tx_a1 { type ifname . mark . nf_proto; size 4; flags dynamic; counter; }
add set inet patchpanel_counters guest_rx_a1 { type ifname . ifname . mark . nf_proto; size 4; flags dynamic; counter; }
add set inet patchpanel_counters guest_tx_a1 { type ifname . ifname . mark . nf_proto; size 4; flags dynamic; counter; }
add chain inet patchpanel_counters rx { type filter hook prerouting priority mangle + 10; policy accept; }
add chain inet patchpanel_counters guests { type filter hook forward priority filter + 100; policy accept; }
add chain inet patchpanel_counters tx { type filter hook postrouting priority srcnat + 20; policy accept; }
flush chain inet patchpanel_counters rx
flush chain inet patchpanel_counters guests
flush chain inet patchpanel_counters tx
delete set inet patchpanel_counters uplink_rx_old
delete counter inet patchpanel_counters missed_uplink
add counter inet patchpanel_counters missed_uplink
delete counter inet patchpanel_counters missed_guest
add counter inet patchpanel_counters missed_guest
add rule inet patchpanel_counters rx iifname @counted update @uplink_rx_a1 { iifname . meta mark & 0x00003f00 . meta nfproto } accept
add rule inet patchpanel_counters rx iifname @counted counter name "missed_uplink"
add rule inet patchpanel_counters guests meta iifgroup 20560-20561 oifname @counted update @guest_tx_a1 { iifname . oifname . meta mark & 0x00003f00 . meta nfproto } accept
add rule inet patchpanel_counters guests meta oifgroup 20560-20561 iifname @counted update @guest_rx_a1 { oifname . iifname . meta mark & 0x00003f00 . meta nfproto } accept
add rule inet patchpanel_counters guests meta iifgroup 20560-20561 oifname @counted counter name "missed_guest"
add rule inet patchpanel_counters guests meta oifgroup 20560-20561 iifname @counted counter name "missed_guest"
add rule inet patchpanel_counters tx oifname @counted update @uplink_tx_a1 { oifname . meta mark & 0x00003f00 . meta nfproto } accept
add rule inet patchpanel_counters tx oifname @counted counter name "missed_uplink"
flush set inet patchpanel_counters counted
add element inet patchpanel_counters counted { "eth0", "wg@home" }
`);
});

test('no interface is no element, and the number of rules depends on nothing', () => {
  const empty = lines({ ...TABLE, counted: [] }, []);
  const crowded = lines({ ...TABLE, counted: Array.from({ length: 1000 }, (_, n) => `eth${n}`) }, []);
  expect(empty.filter((line) => line.startsWith('add element'))).toEqual([]);
  for (const text of [empty, crowded])
    expect(text.filter((line) => line.startsWith('add rule'))).toHaveLength(COUNTERS_RULES);
});
