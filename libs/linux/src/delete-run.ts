import { KernelError } from '@pp/base';
import { describe, DOOMED_GROUP } from '@pp/datapath';
import { decodeReply, delLink, delLinkGroup, getLink, setLink } from '@pp/netlink';
import type { Context } from './context';
import { isOurs } from './is-ours';
import type { LinkStep } from './new-links';
import type { Outcomes } from './outcomes';
import type { Step } from './runs';

/**
 * Deletes links, many in hardly more time than one: they are regrouped, and the group is deleted. Never a link that does not carry our
 * tag, whatever its name.
 */
export async function deleteRun(context: Context, steps: readonly Step[], outcomes: Outcomes): Promise<void> {
  const found = await find(context, steps.filter(isLinkDel), outcomes);
  if (found.length === 1) await deleteOne(context, found, outcomes);
  else await deleteGroup(context, found, outcomes);
  for (const { op } of found) context.own.delete(op.link.ifname);
}

const isLinkDel = (step: Step): step is LinkStep => step.op.do === 'link.del';

interface Found extends LinkStep {
  readonly ifindex: number;
}

/** Links that we know are known by ifindex, which never comes back; the others are looked up, and must be ours. */
async function find(
  { route, own }: Context,
  steps: readonly LinkStep[],
  outcomes: Outcomes,
): Promise<readonly Found[]> {
  const unknown = steps.filter(({ op }) => !own.has(op.link.ifname));
  const queries = unknown.map(({ op }) => ({ ...getLink(op.link.ifname), label: () => describe(op) }));
  const results = await route.requestMany(queries);
  const seen = new Map<string, number>();
  unknown.forEach(({ at, op }, index) => {
    const [query, result] = [queries[index], results[index]];
    outcomes.refuseIf(at, result);
    const [link] =
      query === undefined || result === undefined || result instanceof KernelError
        ? []
        : decodeReply(query, result);
    if (link !== undefined && isOurs(link)) seen.set(op.link.ifname, link.ifindex);
    else
      outcomes.set(
        at,
        new KernelError('ENODEV', describe(op), `the interface named ${op.link.ifname} is not ours`),
      );
  });
  return steps.flatMap((step) => {
    const ifindex = own.get(step.op.link.ifname) ?? seen.get(step.op.link.ifname);
    return ifindex === undefined ? [] : [{ ...step, ifindex }];
  });
}

async function deleteOne({ route }: Context, found: readonly Found[], outcomes: Outcomes): Promise<void> {
  const results = await route.requestMany(
    found.map(({ op, ifindex }) => ({ ...delLink(ifindex), label: () => describe(op) })),
  );
  found.forEach(({ at }, index) => {
    const result = results[index];
    outcomes.set(at, result instanceof KernelError ? result : 'done');
  });
}

async function deleteGroup({ route }: Context, found: readonly Found[], outcomes: Outcomes): Promise<void> {
  const regroup = found.map(({ op, ifindex }) => ({
    ...setLink(ifindex, { group: DOOMED_GROUP }),
    label: () => describe(op),
  }));
  const results = await route.requestMany(regroup);
  found.forEach(({ at }, index) => {
    outcomes.refuseIf(at, results[index]);
  });
  const doomed = found.filter(({ at }) => !outcomes.refused(at));
  if (doomed.length === 0) return;
  const [result] = await route.requestMany([delLinkGroup(DOOMED_GROUP)]);
  for (const { at } of doomed) outcomes.set(at, result instanceof KernelError ? result : 'done');
}
