import type { Part } from './desired';

/** `part` for a kernel without IPv6, which refuses its routes and rules and has no sysctls for it. */
export const withoutIpv6 = (part: Part): Part => ({
  ...part,
  routes: part.routes.filter(({ dst }) => !dst.includes(':')),
  rules: part.rules.filter(({ family }) => family === 'ipv4'),
  linkSysctls: part.linkSysctls.filter(({ key }) => !key.startsWith('net.ipv6.')),
});
