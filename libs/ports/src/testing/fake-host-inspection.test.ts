import { FakeHostInspection } from './fake-host-inspection';
import { hostInspectionRows } from './host-inspection-contract';

const link = { kind: 'veth', type: 1, loopback: false, up: true, running: true, multicast: true, mtu: 1500 };

const inspection = (): FakeHostInspection =>
  new FakeHostInspection({
    files: { '/directory/note': 'hello\n' },
    sysctls: { 'net.ipv4.ip_forward': '1' },
    devices: {},
    network: {
      view: {
        links: [{ ...link, ifname: 'near', ifindex: 3, mac: '', physical: false, enslaved: false }],
        addresses: [{ ifindex: 3, cidr: '192.0.2.1/24' }],
        routes: [],
        markRules: [],
      },
      own: [{ ifname: 'arc_ns0', ifindex: 4 }],
    },
    ruleset: '{"nftables":[{"chain":{"name":"FORWARD"}}]}',
    datapathFault: null,
  });

test.each(hostInspectionRows('/directory'))('$name', async ({ run, want }) => {
  expect(await run(inspection())).toEqual(want);
});

test('what is closed is not asked', () => {
  const closed = inspection();
  closed.close();
  expect(() => closed.text('/directory/note')).toThrow('closed already');
});
