import {
  ApiClient,
  labMissing,
  labTest,
  secondUidMissing,
  standardLab,
  startManager,
  STANDARD,
  until,
} from '@pp/lab';
import type { UdpHandle } from '@pp/native';

/** Whose the host's own traffic is, as the marks of its connections tell: the source under 0x3f00 (spec/patchpanel.md 3.2). */

const PORTS = { root: 4001, session: 4002, tlsdate: 4003, foreign: 4004 };

labTest(
  "the host's own connections carry the source of their user; marks of others are left alone",
  async () => {
    const lab = await standardLab();
    try {
      const { host } = lab;
      await host.shell(`cp /etc/passwd /run/lab/passwd
        echo 'tlsdate:x:4233:4233::/:/bin/false' >> /run/lab/passwd
        mount --bind /run/lab/passwd /etc/passwd`); // in the host's own mount namespace
      const manager = await startManager(host, {
        args: ['--uplink', 'eth0=ethernet', '--session-user', '1000', '--helpers', 'none'],
      });
      expect(manager.process.output()).toContain('debugd');
      expect(manager.process.output()).not.toMatch(/absent.*tlsdate|tlsdate.*absent/);
      const send = (port: number, uid: string): Promise<string> =>
        host.ok('setpriv', [
          ...['--reuid', uid, '--clear-groups', 'sh', '-c'],
          `echo x | socat - udp-sendto:${STANDARD.internet.v4}:${port}`,
        ]);
      await send(PORTS.root, '0');
      await send(PORTS.session, '1000');
      await send(PORTS.tlsdate, '4233');
      const client = await ApiClient.open(lab.bus.outside);
      const socket = markedSocket(client, host.pid, 51820);
      socket.send(new Uint8Array(1), STANDARD.internet.v4, PORTS.foreign);
      await until('all are tracked', async () => (await sourceOf(PORTS.foreign)) !== null);
      expect(await sourceOf(PORTS.root)).toBe(0x0400);
      expect(await sourceOf(PORTS.session)).toBe(0x0100);
      expect(await sourceOf(PORTS.tlsdate)).toBe(0x0400);
      expect(await sourceOf(PORTS.foreign)).toBe(51820 & 0x3f00);
      socket.close();
      client.close();
      await manager.stop();

      async function sourceOf(port: number): Promise<number | null> {
        const listed = await host.ok('conntrack', ['-L', '-p', 'udp', '--orig-port-dst', String(port)]);
        const mark = /mark=(\d+)/.exec(listed)?.[1];
        return mark === undefined ? null : Number(mark) & 0x3f00;
      }
    } finally {
      await lab.close();
    }
  },
  labMissing() ?? secondUidMissing(),
);

/** Of a host process that marks its packets by itself, as WireGuard does. */
function markedSocket({ native }: ApiClient, pid: number, mark: number): UdpHandle {
  const netns = native.openNetns({ pid });
  const ignore = (): void => undefined;
  try {
    const socket = native.runInNetns(netns, () =>
      native.openUdp({ family: 'ipv4', address: '0.0.0.0', port: 0, onDatagrams: ignore, onError: ignore }),
    );
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(mark);
    native.setSocketOption(socket.fd, 1, 36, bytes); // SOL_SOCKET, SO_MARK
    return socket;
  } finally {
    native.closeFd(netns);
  }
}
