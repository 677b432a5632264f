import { FakeReplySockets } from './fake-reply-sockets';
import { REPLY_SOCKETS_CONTRACT } from './reply-sockets-contract';

test.each(REPLY_SOCKETS_CONTRACT)('$name', ({ run, want }) => {
  expect(run(new FakeReplySockets(), { ifname: 'eth0', address: '192.0.2.1' })).toEqual(want);
});

test('a datagram reaches who holds its port', () => {
  const sockets = new FakeReplySockets();
  const heard: string[] = [];
  sockets.open({
    ifname: 'eth0',
    address: '192.0.2.1',
    port: 5000,
    onDatagram: (data, from, port) => void heard.push(`${from}:${port} ${data.length}`),
    onFault: () => undefined,
  });
  sockets.deliver('192.0.2.1:5000', new Uint8Array(3), '192.0.2.9', 7);
  expect(heard).toEqual(['192.0.2.9:7 3']);
  expect(() => {
    sockets.deliver('192.0.2.1:5001', new Uint8Array(3), '192.0.2.9', 7);
  }).toThrow('nobody listens');
});
