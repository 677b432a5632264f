import { hostAt, namespaceNames } from '@pp/datapath';
import { encode } from '@pp/proto';
import type { Namespace } from '../domain/guest';
import { networkOrder } from './network-order';

/** Spec 11 step 10. */
export function connectNamespaceToProto({ number, subnet }: Namespace): Uint8Array {
  const names = namespaceNames(number);
  const [base = '', length = ''] = subnet.split('/');
  return encode('ConnectNamespaceResponse', {
    ipv4Subnet: { baseAddr: networkOrder(base), prefixLen: Number(length) },
    peerIfname: names.peer,
    peerIpv4Address: networkOrder(hostAt(subnet, 1)),
    hostIfname: names.host,
    hostIpv4Address: networkOrder(hostAt(subnet, 0)),
    netnsName: names.netns,
  });
}
