import type { ApiClient } from '@pp/lab';
import {
  ModifyPortRuleRequestOperation as Operation,
  ModifyPortRuleRequestProtocol as Proto,
  ModifyPortRuleRequestRuleType as Type,
  type Init,
  type Messages,
} from '@pp/proto';
import type { Protocol } from './port-probe';

type Request = Init<Messages['ModifyPortRuleRequest']>;

/** The body of ModifyPortRule without its operation. */
export type PortRule = Omit<Request, 'op'>;

export const access = (protocol: Protocol, port: number, inputIfname = ''): PortRule => ({
  type: Type.ACCESS,
  proto: protocol === 'tcp' ? Proto.TCP : Proto.UDP,
  inputDstPort: port,
  inputIfname,
});

export const lockdown = (protocol: Protocol, port: number): PortRule => ({
  ...access(protocol, port),
  type: Type.LOCKDOWN,
});

/** `to`: "100.115.92.26:7" or "fd00::2 7". `inputDstIp`: only what comes for that address. */
export function forwarding(
  protocol: Protocol,
  inputIfname: string,
  port: number,
  to: string,
  inputDstIp = '',
): PortRule {
  const [dstIp = '', dstPort] = to.includes(' ') ? to.split(' ') : to.split(':');
  return {
    ...access(protocol, port, inputIfname),
    type: Type.FORWARDING,
    inputDstIp,
    dstIp,
    dstPort: Number(dstPort),
  };
}

export async function create(client: ApiClient, ...rules: readonly PortRule[]): Promise<void> {
  for (const rule of rules) await client.ask('ModifyPortRule', { op: Operation.CREATE, ...rule });
}

export async function remove(client: ApiClient, ...rules: readonly PortRule[]): Promise<void> {
  for (const rule of rules) await client.ask('ModifyPortRule', { op: Operation.DELETE, ...rule });
}
