import { seconds, type Millis } from '@pp/base';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Child } from '../child';
import type { Place } from '../place';

/** Starts the server that tells each client how it is seen: `services` such as tcp:7, udp:7, http:80. */
export async function startPeerEcho(place: Place, services: readonly string[]): Promise<Child> {
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const server = place.spawn(process.execPath, [
    '--import',
    loader,
    join(__dirname, 'peer-echo-main.ts'),
    ...services,
  ]);
  await server.line('sign of being ready', (line) => (line === 'ready' ? true : undefined));
  return server;
}

/** How long an answer that must not come is awaited. */
export const UNWANTED = seconds(2);

/**
 * The address by which the peer-echo at `address` port `port` sees a TCP connection from `place`; undefined without an answer in time,
 * which begins before the process that asks.
 */
export async function seenAs(
  place: Place,
  address: string,
  port = 7,
  timeout: Millis = seconds(20),
): Promise<string | undefined> {
  const ask = `exec 3<>/dev/tcp/${address}/${port}; read -r line <&3; echo "$line"`;
  const { stdout } = await place.run('bash', ['-c', ask], { timeout });
  return /^peer (\S+) \d+$/m.exec(stdout)?.[1];
}
