import type { HostInspection } from '../host-inspection';

interface Row {
  readonly name: string;
  readonly run: (host: HostInspection) => unknown;
  readonly want: unknown;
}

/**
 * What every HostInspection says of a host where a foreign veth `near` with the address 192.0.2.1/24 and a veth of ours, `arc_ns0`, are
 * up, a table `ip filter` with a chain FORWARD is loaded, ip_forward is 1, and the directory `directory` holds the file `note`: "hello\n".
 */
export const hostInspectionRows = (directory: string): readonly Row[] => [
  { name: 'a file', run: (host) => host.text(`${directory}/note`), want: 'hello\n' },
  { name: 'a file that is not there', run: (host) => host.text(`${directory}/none`), want: null },
  { name: 'a directory is no text', run: (host) => host.text(directory), want: null },
  { name: 'names', run: (host) => host.names(directory), want: ['note'] },
  { name: 'names where no directory is', run: (host) => host.names(`${directory}/none`), want: [] },
  { name: 'a sysctl', run: (host) => host.sysctl('net.ipv4.ip_forward'), want: '1' },
  { name: 'a sysctl that no kernel has', run: (host) => host.sysctl('net.ipv4.ip_backward'), want: null },
  { name: 'a device that is not there', run: (host) => host.openFault(`${directory}/none`), want: 'ENOENT' },
  {
    name: 'links, ours apart from others',
    run: async (host) => {
      const { view, own } = await host.network();
      const near = view.links.find(({ ifname }) => ifname === 'near');
      return [
        view.links.map(({ ifname }) => ifname).filter((ifname) => ifname === 'arc_ns0'),
        view.addresses.some(({ ifindex, cidr }) => ifindex === near?.ifindex && cidr === '192.0.2.1/24'),
        own.map(({ ifname }) => ifname),
      ];
    },
    want: [[], true, ['arc_ns0']],
  },
  {
    name: 'the ruleset',
    run: async (host) => (await host.ruleset()).replaceAll(/\s/g, '').includes('"name":"FORWARD"'),
    want: true,
  },
  { name: 'what guests need can be made', run: (host) => host.tryDatapath(), want: null },
];
