import { accept, type Checked } from '@pp/base';
import { encode } from '@pp/proto';
import type { Descriptors } from '@pp/ports';
import type { Reconciler } from '../reconciler';
import { createPortRule, deletePortRule } from '../usecases/modify-port-rule';
import { redirectDns } from '../usecases/redirect-dns';
import type { ApiCall, ApiMethod } from './api';
import { dnsRuleFromProto, portRuleFromProto, type PortRuleBody } from './port-from-proto';
import type { SomeApiMethods } from './service';
import { takeLifeline } from './take-lifeline';

export interface PortMethodParts {
  readonly reconciler: Reconciler;
  readonly descriptors: Descriptors;
  /** Takes the lifeline of a DNS redirection, by the key of the rule. */
  readonly holdDns: (key: string, fd: number) => void;
}

/** The methods for ports and name lookups (spec 10, 3.9). */
export const portMethods = (
  parts: PortMethodParts,
): SomeApiMethods<'ModifyPortRule' | 'SetDnsRedirectionRule'> => ({
  ModifyPortRule: modifyPortRule(parts),
  SetDnsRedirectionRule: setDnsRedirectionRule(parts),
});

const modifyPortRule =
  ({ reconciler }: PortMethodParts): ApiMethod =>
  async ({ body, caller }) => {
    const request = portRuleFromProto(body);
    if (!request.ok) return request;
    const done = await modified(reconciler, request.value, caller);
    return done.ok ? PORT_RULE_MODIFIED : done;
  };

async function modified(
  reconciler: Reconciler,
  { op, rule }: PortRuleBody,
  caller: ApiCall['caller'],
): Promise<Checked<null>> {
  if (op === 'delete') return reconciler.submit('port.delete', (world) => deletePortRule(world, rule));
  if (!caller.ok) return caller;
  const owner = caller.value.uid;
  return reconciler.submit('port.create', (world) => createPortRule(world, { rule, owner }));
}

const PORT_RULE_MODIFIED = accept(encode('ModifyPortRuleResponse', { success: true }));

const setDnsRedirectionRule =
  ({ reconciler, descriptors, holdDns }: PortMethodParts): ApiMethod =>
  async (call) => {
    const { caller } = call;
    if (!caller.ok) return caller;
    const rule = dnsRuleFromProto(call.body, caller.value.uid);
    if (!rule.ok) return rule;
    const lifeline = takeLifeline(call, descriptors);
    if (!lifeline.ok) return lifeline;
    const key = await reconciler.submit('dns.redirect', (world) => redirectDns(world, rule.value));
    if (!key.ok) {
      descriptors.close(lifeline.value);
      return key;
    }
    holdDns(key.value, lifeline.value);
    return accept(encode('SetDnsRedirectionRuleResponse', { success: true }));
  };
