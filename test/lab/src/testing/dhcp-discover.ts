/*
 * Run by standard-lab.test.ts on a host that has an address: asks as a new client (RFC 2131 DHCPDISCOVER, broadcast flag set) and
 * prints the address that is offered and the router's.
 */
import { createSocket } from 'node:dgram';

const MAGIC_COOKIE = [0x63, 0x82, 0x53, 0x63];
const DISCOVER = [53, 1, 1];
const END = 255;

const request = Buffer.alloc(300);
request.set([1, 1, 6, 0], 0); // BOOTREQUEST, Ethernet, 6 bytes of address, no hops
request.writeUInt32BE(0x50500001, 4); // xid
request.writeUInt16BE(0x8000, 10); // flags: broadcast the reply
request.set([0x02, 0x50, 0x50, 0, 0, 0x63], 28); // chaddr
request.set([...MAGIC_COOKIE, ...DISCOVER, END], 236);

const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (reply) => {
  const router = reply.indexOf(Buffer.from([3, 4]), 240); // option 3, one address
  process.stdout.write(`offered ${address(reply, 16)} router ${address(reply, router + 2)}\n`);
  socket.close();
});
socket.bind(68, () => {
  socket.setBroadcast(true);
  socket.send(request, 67, '255.255.255.255');
});

function address(bytes: Buffer, offset: number): string {
  return [...bytes.subarray(offset, offset + 4)].join('.');
}
