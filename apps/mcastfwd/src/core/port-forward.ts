import { accept, refuse, type Checked } from '@pp/base';
import { parseIpv4 } from '@pp/wire';
import type { PortForward } from './policy';

const WANTED = 'write tcp|udp:HOSTPORT=GUEST:PORT, for example tcp:8080=100.115.92.26:80';

/** "tcp:8080=100.115.92.26:80". */
export function checkedForward(text: string): Checked<PortForward> {
  const match = /^(tcp|udp):([0-9]{1,5})=([0-9.]+):([0-9]{1,5})$/.exec(text);
  const [, protocol, host, guest = '', port] = match ?? [];
  const [hostPort, guestPort] = [Number(host), Number(port)];
  const isPort = (each: number): boolean => each >= 1 && each <= 65535;
  if (parseIpv4(guest) === null || !isPort(hostPort) || !isPort(guestPort))
    return refuse('InvalidArgument', `forward '${text}' is not understood; ${WANTED}`);
  return accept({ protocol: protocol === 'udp' ? 'udp' : 'tcp', hostPort, guest, guestPort });
}

/** As it is written on the command line; one of the manager's with its uplink. */
export const forwardText = ({ protocol, hostPort, guest, guestPort, lan }: PortForward): string =>
  `${protocol}:${hostPort}=${guest}:${guestPort}${lan === undefined ? '' : ` on ${lan}`}`;
