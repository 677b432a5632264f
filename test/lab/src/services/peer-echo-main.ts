/*
 * A server of the lab: `peer-echo tcp:7 udp:7 http:80`, on all addresses of both families. It tells every client the address and
 * port by which it sees it, which proves or disproves NAT: TCP says `peer ADDRESS PORT` at once and then echoes; UDP answers with
 * that line and the datagram; HTTP answers with that line. Prints `ready` when all listen.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Socket } from 'node:net';

const SERVERS: Readonly<Record<string, (port: number) => Promise<unknown>>> = { tcp, udp, http };

void serve(process.argv.slice(2)).then(() => process.stdout.write('ready\n'));

async function serve(services: readonly string[]): Promise<void> {
  for (const service of services) {
    const [kind = '', port] = service.split(':');
    const start = SERVERS[kind];
    if (start === undefined) throw new Error(`${service}: say tcp:PORT, udp:PORT or http:PORT`);
    await start(Number(port));
  }
}

function tcp(port: number): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined); // a reset is the client's business
    socket.write(peerLine(socket));
    socket.pipe(socket);
  });
  return once(server.listen(port, '::'), 'listening');
}

function http(port: number): Promise<unknown> {
  const server = createHttpServer((request, response) => response.end(peerLine(request.socket)));
  return once(server.listen(port, '::'), 'listening');
}

function udp(port: number): Promise<unknown> {
  const socket = createSocket('udp6');
  socket.on('message', (data, { address, port: from }) => {
    const line = peerLine({ remoteAddress: address, remotePort: from });
    // Where the answer cannot go (the way back is gone, or a rule of this host forbids it) the client finds out.
    socket.send(Buffer.concat([Buffer.from(line), data]), from, address, () => undefined);
  });
  return once(socket.bind(port, '::'), 'listening');
}

function peerLine({
  remoteAddress = '?',
  remotePort = 0,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): string {
  return `peer ${remoteAddress.replace('::ffff:', '')} ${remotePort}\n`;
}
