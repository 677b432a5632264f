import { loadNative } from '@pp/native';
import { until } from '@pp/netlink/testing';
import { REPLY_SOCKETS_CONTRACT } from '@pp/ports/testing';
import { createSocket } from 'node:dgram';
import { UdpReplySockets } from './udp-reply-sockets';

const sockets = new UdpReplySockets(loadNative());
const PLACE = { ifname: 'lo', address: '127.0.0.1' };
const DEAF = { port: 0, onDatagram: () => undefined, onFault: () => undefined };

test.each(REPLY_SOCKETS_CONTRACT)('$name', ({ run, want }) => {
  expect(run(sockets, PLACE)).toEqual(want);
});

test.each([
  { name: 'an interface that is not there', place: { ...PLACE, ifname: 'nosuch0' }, code: 'ENODEV' },
  { name: 'an address of somebody else', place: { ...PLACE, address: '192.0.2.1' }, code: 'EADDRNOTAVAIL' },
])('$name is $code', ({ place, code }) => {
  expect(() => sockets.open({ ...place, ...DEAF })).toThrow(code);
});

test('what is sent to it arrives, with its sender', async () => {
  const heard: string[] = [];
  const socket = sockets.open({
    ...PLACE,
    ...DEAF,
    onDatagram: (data, from, port) => void heard.push(`${from}:${port} ${Buffer.from(data).toString()}`),
  });
  const sender = createSocket('udp4');
  sender.send('hello', socket.port, PLACE.address);
  await until('a datagram', () => heard.length > 0);
  expect(heard).toEqual([`127.0.0.1:${sender.address().port} hello`]);
  sender.close();
  socket.close();
});
