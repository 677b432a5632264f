import { KernelError, type Errno } from '@pp/base';
import { NativeError, type Native } from '@pp/native';
import type { ReplySocket, ReplySocketOptions, ReplySockets } from '@pp/ports';

/** By UDP sockets that are bound to an interface and an address. A port that another program holds is never shared. */
export class UdpReplySockets implements ReplySockets {
  constructor(private readonly native: Pick<Native, 'openUdp'>) {}

  open({ ifname, address, port, onDatagram, onFault }: ReplySocketOptions): ReplySocket {
    try {
      return this.native.openUdp({
        family: 'ipv4',
        device: ifname,
        address,
        port,
        onDatagrams: (batch) => {
          for (const each of batch) onDatagram(each.data, each.address, each.port);
        },
        onError: (fault) => {
          onFault(kernelError(fault, 'receiving'));
        },
      });
    } catch (fault) {
      if (!(fault instanceof NativeError)) throw fault;
      throw kernelError(fault, `UDP port ${address}:${port} on ${ifname}`);
    }
  }
}

const kernelError = (fault: NativeError, request: string): KernelError =>
  new KernelError(fault.code as Errno, request, '', { cause: fault });
