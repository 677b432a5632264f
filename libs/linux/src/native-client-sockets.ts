import { accept, refuse, type Checked } from '@pp/base';
import { NativeError, type Native } from '@pp/native';
import type { ClientSockets } from '@pp/ports';

// asm-generic/socket.h
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_PEERNAME = 28;
const SO_MARK = 36;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
// linux/socket.h, linux/net.h, linux/in.h
const DOMAINS: ReadonlyMap<number, string> = new Map([
  [2, 'IPv4'],
  [10, 'IPv6'],
]);
/** Protocol by socket type: SOCK_STREAM is 1, SOCK_DGRAM 2. */
const PROTOCOLS: ReadonlyMap<number, number> = new Map([
  [1, 6],
  [2, 17],
]);
/** Asked for more than there is, the kernel says EINVAL; every address begins with its family. */
const SA_FAMILY = 2;

/** Marks sockets by the addon. */
export class NativeClientSockets implements ClientSockets {
  constructor(private readonly native: Pick<Native, 'getSocketOption' | 'setSocketOption' | 'fdKind'>) {}

  mark(fd: number, mask: number, bits: number): Checked<null> {
    try {
      const fault = this.#fault(fd);
      if (fault !== null) return refuse('InvalidArgument', fault);
      const mark = (this.#number(fd, SO_MARK) & ~mask) | bits;
      this.native.setSocketOption(fd, SOL_SOCKET, SO_MARK, new Uint8Array(Int32Array.of(mark).buffer));
      return accept(null);
    } catch (error) {
      if (!(error instanceof NativeError)) throw error;
      if (error.code === 'EBADF')
        return refuse('InvalidArgument', 'the socket is not open (O_PATH): pass one that is');
      return refuse('Failed', `the mark of the socket cannot be changed: ${error.message}`);
    }
  }

  #fault(fd: number): string | null {
    const kind = this.native.fdKind(fd);
    if (kind !== 'socket') return `the descriptor is a ${kind}: pass a TCP or UDP socket`;
    const isInternet = DOMAINS.has(this.#number(fd, SO_DOMAIN));
    if (!isInternet || PROTOCOLS.get(this.#number(fd, SO_TYPE)) !== this.#number(fd, SO_PROTOCOL))
      return 'the socket is neither TCP nor UDP: pass one of these, of IPv4 or IPv6';
    return this.#isConnected(fd) ? 'the socket is connected already: pass it before connect' : null;
  }

  #isConnected(fd: number): boolean {
    try {
      this.native.getSocketOption(fd, SOL_SOCKET, SO_PEERNAME, SA_FAMILY);
      return true;
    } catch (error) {
      if (error instanceof NativeError && error.code === 'ENOTCONN') return false;
      throw error;
    }
  }

  #number(fd: number, option: number): number {
    const bytes = this.native.getSocketOption(fd, SOL_SOCKET, option, 4);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getInt32(0, IS_LITTLE);
  }
}

const IS_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
