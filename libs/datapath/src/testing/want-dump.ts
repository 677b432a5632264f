import type { Desired } from '../desired';
import { rulesetText } from '../nft/render';
import {
  addressText,
  attributesText,
  identityText,
  netnsText,
  routeText,
  ruleText,
  sysctlText,
} from '../text';
import { FakeTable } from './fake-table';

/** What `FakeKernel.dump` must show of a state, told from the state itself, without plan or apply. */
export function wantDump(desired: Desired, sysctlsBefore: ReadonlyMap<string, string>): string {
  const parts = [...desired.parts.values()];
  const net = [
    ...parts.flatMap(({ netns }) => netns).map((netns) => `netns ${netnsText(netns)}`),
    ...parts
      .flatMap(({ links }) => links)
      .map((link) => `link ${identityText(link)} ${attributesText(link)}`),
    ...parts.flatMap(({ addresses }) => addresses).map((address) => `address ${addressText(address)}`),
    ...parts.flatMap(({ routes }) => routes).map((route) => `route ${routeText(route)}`),
    ...parts.flatMap(({ rules }) => rules).map((rule) => `rule ${ruleText(rule)}`),
  ].sort();
  const sysctls = new Map(sysctlsBefore);
  for (const [key, value] of desired.sysctls) if (sysctls.has(key)) sysctls.set(key, value);
  const lines = [...sysctls].map(([key, value]) => ({ key, value }));
  const all = [...lines, ...parts.flatMap(({ linkSysctls }) => linkSysctls)].map(
    (sysctl) => `sysctl ${sysctlText(sysctl)}`,
  );
  return [...net, ...all.sort(), ...wantTable(desired)].join('\n');
}

function wantTable({ shape, parts }: Desired): readonly string[] {
  if (shape === null) return [];
  const elements = [...parts.values()].flatMap((part) => part.elements);
  return ['table inet patchpanel', ...FakeTable.load(rulesetText(shape, elements, []), null).dump()];
}
