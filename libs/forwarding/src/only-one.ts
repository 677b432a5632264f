import type { ClaimableName } from '@pp/daemon';

/** What a helper claims that must be the only one of its network namespace: ndproxy and counters always, a relay where it follows the manager. */
export const onlyOne = (helper: string): ClaimableName => ({
  name: `@patchpanel_${helper}`,
  right: helper === 'counters' ? 'CAP_NET_ADMIN' : 'CAP_NET_RAW',
});
