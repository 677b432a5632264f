import { accept, refuse, type Checked } from '@pp/base';
import { table } from '@pp/daemon';
import { decodeStrict } from '@pp/proto';
import { dottedQuad, subnetText } from './addresses';

/** A connected namespace as people and scripts read it; the keys are the API's field names. */
export interface Connected {
  readonly netns_name: string;
  readonly host_ifname: string;
  readonly peer_ifname: string;
  readonly host_ipv4_address: string;
  readonly peer_ipv4_address: string;
  readonly ipv4_subnet: string;
}

/** From the bytes of a ConnectNamespaceResponse. */
export function connectedFromProto(bytes: Uint8Array): Checked<Connected> {
  const decoded = decodeStrict('ConnectNamespaceResponse', bytes);
  if (!decoded.ok) return decoded;
  const { netnsName, hostIfname, peerIfname, hostIpv4Address, peerIpv4Address, ipv4Subnet } = decoded.value;
  // Other managers answer a failure with an empty message.
  if (hostIfname === '' || peerIfname === '' || ipv4Subnet === undefined)
    return refuse('Failed', 'the manager did not connect the namespace and gave no reason');
  return accept({
    netns_name: netnsName,
    host_ifname: hostIfname,
    peer_ifname: peerIfname,
    host_ipv4_address: dottedQuad(hostIpv4Address),
    peer_ipv4_address: dottedQuad(peerIpv4Address),
    ipv4_subnet: subnetText(ipv4Subnet),
  });
}

/** What somebody who holds a namespace wants to read. */
export function connectedText(connected: Connected): string {
  const { netns_name, host_ifname, peer_ifname, host_ipv4_address, peer_ipv4_address, ipv4_subnet } =
    connected;
  const facts = table(
    ['netns', netns_name],
    [
      ['subnet', ipv4_subnet],
      ['inside', `${peer_ifname} ${peer_ipv4_address}`],
      ['host', `${host_ifname} ${host_ipv4_address}`],
    ],
  );
  return `${facts}\nHeld until Ctrl-C. To enter it: ip netns exec ${netns_name} sh\n`;
}
