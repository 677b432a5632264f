import { connectedFromProto, connectedText } from './connected';

/** As protoc writes it: 100.115.92.128/30, veth0 .130, arc_ns0 .129, connected_netns_0. */
const RESPONSE =
  '0a0808e4e6f18208101e' +
  '12057665746830' +
  '18e4e6f19208' +
  '22076172635f6e7330' +
  '28e4e6f18a08' +
  '3211636f6e6e65637465645f6e65746e735f30';

const CONNECTED = {
  netns_name: 'connected_netns_0',
  host_ifname: 'arc_ns0',
  peer_ifname: 'veth0',
  host_ipv4_address: '100.115.92.129',
  peer_ipv4_address: '100.115.92.130',
  ipv4_subnet: '100.115.92.128/30',
};

const NO_REASON = 'the manager did not connect the namespace and gave no reason';

describe('from the response', () => {
  const rows: { name: string; in: string; want: object | string }[] = [
    { name: 'all of it, addresses the right way round', in: RESPONSE, want: CONNECTED },
    {
      name: 'the top bit of an address',
      in: RESPONSE.replace('18e4e6f19208', '18fffffff70f'),
      want: { ...CONNECTED, peer_ipv4_address: '255.255.255.254' },
    },
    { name: "the reference's empty answer", in: '', want: NO_REASON },
    { name: 'without subnet', in: RESPONSE.slice(20), want: NO_REASON },
    { name: 'noise', in: 'ff', want: 'the body is not a ConnectNamespaceResponse: it is cut short' },
  ];
  test.each(rows)('$name', ({ in: hex, want }) => {
    const checked = connectedFromProto(Buffer.from(hex, 'hex'));
    expect(checked.ok ? checked.value : checked.sentence).toEqual(want);
  });
});

test('for people', () => {
  expect(connectedText(CONNECTED)).toBe(
    'netns   connected_netns_0\nsubnet  100.115.92.128/30\ninside  veth0 100.115.92.130\nhost    arc_ns0 100.115.92.129\n' +
      '\nHeld until Ctrl-C. To enter it: ip netns exec connected_netns_0 sh\n',
  );
});
