import {
  encode,
  ModifyPortRuleRequestOperation as Operation,
  ModifyPortRuleRequestProtocol as Protocol,
  ModifyPortRuleRequestRuleType as RuleType,
} from '@pp/proto';

/** ModifyPortRule that opens a TCP port to guests, or closes it. */
export const portRuleBody = (op: 'create' | 'delete', port: number): Uint8Array =>
  encode('ModifyPortRuleRequest', {
    op: op === 'create' ? Operation.CREATE : Operation.DELETE,
    type: RuleType.ACCESS,
    proto: Protocol.TCP,
    inputDstPort: port,
  });
