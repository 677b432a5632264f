import { KernelError } from '@pp/base';
import { decodeReply, delLink, getLink } from '@pp/netlink';
import type { JobResult, Link as SeenLink } from '@pp/netlink';
import { creations, isDone, isWhole, namesOf, restOf, settle } from './build-job';
import type { ConfigureStep, Find, Piece, Rest, Work } from './build-job';
import { ifnamesIn } from './configure';
import type { Context } from './context';
import type { SysctlStep } from './link-conf';
import { holdLink, numbered } from './new-links';
import type { HeldLink, LinkStep, NumberedLink } from './new-links';
import { outcomeOf, type Outcomes } from './outcomes';
import type { Step } from './runs';
import { elementsBatch, type ElementsOp } from './set-elements';
import { Spaces } from './spaces';

interface ElementsStep {
  readonly at: number;
  readonly op: ElementsOp;
}

/**
 * Names namespaces, makes links, writes sysctls, sets all the rest: one job for the worker, and at the same time names and the table from this
 * thread. Links are complete or gone: where anything of the job is refused, those that it has made are deleted again.
 */
export async function buildRun(context: Context, steps: readonly Step[], outcomes: Outcomes): Promise<void> {
  const spaces = new Spaces(context, steps, outcomes);
  const sorted = sortedByKind(steps);
  const links: HeldLink[] = []; // BOUNDED: by the steps
  for (const step of sorted.links)
    if (!outcomes.isRefused) links.push(...holdLink(context, step, spaces, outcomes));
  try {
    for (const step of sorted.restores) restore(context, step, outcomes);
    if (outcomes.isRefused) spaces.name(outcomes);
    else await build(context, sorted, links, spaces, outcomes);
  } finally {
    for (const { held } of links) held.close();
    spaces.close();
  }
}

async function build(
  context: Context,
  { settings, rest, elements }: SortedSteps,
  held: readonly HeldLink[],
  spaces: Spaces,
  outcomes: Outcomes,
): Promise<void> {
  const foreign = foreignNames(context, held, rest);
  const found = foreign.length === 0 ? NOTHING_FOUND : await lookUp(context, foreign);
  const start = (): Promise<Ran> =>
    runJob(context, { links: held.map((link) => numbered(context, link)), settings, rest }, found);

  const running = start();
  spaces.name(outcomes);
  const table = changeTable(context, elements, outcomes);
  let ran = await running;
  if (isNumberTaken(ran)) {
    await deleteMade(context, ran, outcomes);
    context.ifindexes.skip();
    if (!outcomes.isRefused) ran = await start();
  }
  await table;
  await conclude(context, ran, spaces, outcomes);
}

/** By what is done with them, in one pass: each guest has a dozen. */
interface SortedSteps {
  readonly links: readonly LinkStep[];
  readonly restores: readonly SysctlStep[];
  readonly settings: readonly SysctlStep[];
  readonly rest: readonly ConfigureStep[];
  readonly elements: ElementsStep | null;
}

function sortedByKind(steps: readonly Step[]): SortedSteps {
  // BOUNDED: by `steps`
  const links: LinkStep[] = [];
  const restores: SysctlStep[] = [];
  const settings: SysctlStep[] = [];
  const rest: ConfigureStep[] = [];
  let elements: ElementsStep | null = null;
  for (const { at, op } of steps) {
    switch (op.do) {
      case 'link.add':
        links.push({ at, op });
        break;
      case 'sysctl.set':
        (op.onlyIf === null ? settings : restores).push({ at, op });
        break;
      case 'link.set':
      case 'address.add':
      case 'address.del':
      case 'route.add':
      case 'route.del':
      case 'rule.add':
      case 'rule.del':
        rest.push({ at, op });
        break;
      case 'nft.elements':
        elements = { at, op };
        break;
      case 'netns.add': // `Spaces`
      case 'netns.del':
      case 'link.del':
      case 'nft.load': // of other runs
    }
  }
  return { links, restores, settings, rest, elements };
}

function restore({ sysctls }: Context, step: SysctlStep, outcomes: Outcomes): void {
  if (outcomes.isRefused) return;
  const { sysctl, onlyIf } = step.op;
  outcomes.do(step, () => {
    if (sysctls.read(sysctl.key) === null || sysctls.holds(sysctl.key, onlyIf ?? ''))
      sysctls.write(sysctl.key, sysctl.value);
  });
}

/** Names that are neither made here nor known. */
function foreignNames(
  { own }: Context,
  links: readonly LinkStep[],
  rest: readonly ConfigureStep[],
): readonly string[] {
  const masters = links.flatMap(({ op }) => op.link.master ?? []);
  const names = new Set([...masters, ...rest.flatMap(({ op }) => ifnamesIn(op))]);
  for (const { op } of links) names.delete(op.link.ifname);
  return [...names].filter((name) => !own.has(name));
}

type Found = ReadonlyMap<string, SeenLink | KernelError>;

const NOTHING_FOUND: Found = new Map();

/** What has each name, or why nothing has. */
async function lookUp({ route }: Context, names: readonly string[]): Promise<Found> {
  const looks = names.map((name) => getLink(name));
  const answers = await route.requestMany(looks);
  return new Map(
    looks.map((look, index) => {
      const answer = answers[index] ?? [];
      const seen = answer instanceof KernelError ? answer : decodeReply(look, answer)[0];
      return [names[index] ?? '', seen ?? new KernelError('ENODEV', look.label())];
    }),
  );
}

interface Ran extends Rest {
  readonly work: Work;
  /** All of the job; the making of links comes first. */
  readonly pieces: readonly Piece[];
  readonly results: readonly (readonly JobResult[])[];
}

async function runJob(context: Context, work: Work, found: Found): Promise<Ran> {
  const made = creations(work.links);
  let rest: Rest = { pieces: [], faults: [] };
  const results = await context.jobs.run(made.map(partOf), () => {
    rest = restOf(work, finder(context, work, found));
    return rest.pieces.map(partOf);
  });
  return { work, pieces: [...made, ...rest.pieces], faults: rest.faults, results };
}

const partOf = ({ part }: Piece): Piece['part'] => part;

function finder({ own }: Context, { links }: Work, found: Found): Find {
  const fresh = new Map(links.map(({ op, ifindex }) => [op.link.ifname, ifindex]));
  return (name) => fresh.get(name) ?? own.get(name) ?? found.get(name);
}

async function changeTable(
  { netfilter }: Context,
  elements: ElementsStep | null,
  outcomes: Outcomes,
): Promise<void> {
  if (elements === null || outcomes.isRefused) return;
  outcomes.set(elements.at, await outcomeOf(netfilter.transaction(elementsBatch(elements.op))));
}

/** Or the name is, which the kernel calls the same: then it is refused once more. */
const isNumberTaken = ({ work, results }: Ran): boolean =>
  work.links.some((_, index) => {
    const result = results[index]?.[0];
    return result instanceof KernelError && TAKEN.has(result.code);
  });
const TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'EBUSY']);

/** The links that the job has made, complete or not. */
const madeBy = ({ work, results }: Ran): readonly NumberedLink[] =>
  work.links.filter((_, index) => isDone(results[index]?.[0]));

/** As if they had never been. A TAP that was not kept has gone already. */
async function deleteMade({ route }: Context, ran: Ran, outcomes: Outcomes): Promise<void> {
  const doomed = madeBy(ran);
  const results = await route.requestMany(doomed.map(({ ifindex }) => delLink(ifindex)));
  doomed.forEach(({ at }, index) => {
    const result = results[index];
    if (result instanceof KernelError && result.code !== 'ENODEV') outcomes.amend(at, result);
  });
}

/** Keeps what was made, or takes it back, and says of each step what became of it. */
async function conclude(context: Context, ran: Ran, spaces: Spaces, outcomes: Outcomes): Promise<void> {
  const { links, settings, rest } = ran.work;
  const isHomeless = ({ op: { link } }: LinkStep): boolean =>
    link.kind === 'veth' && spaces.isUnnamed(link.peer.netns);
  if (!isWhole(ran) || links.some(isHomeless)) {
    await takeBack(context, ran, outcomes);
    return;
  }
  for (const { op, ifindex } of links) context.own.set(op.link.ifname, ifindex);
  for (const steps of [links, settings, rest]) for (const { at } of steps) outcomes.set(at, 'done');
}

/** All links of the job go; what was done apart from them stays. */
async function takeBack(context: Context, ran: Ran, outcomes: Outcomes): Promise<void> {
  const { links, settings, rest } = ran.work;
  const done = settle(ran, ran.results, outcomes);
  await deleteMade(context, ran, outcomes);
  const gone = new Set(links.map(({ op }) => op.link.ifname));
  for (const step of [...settings, ...rest]) {
    const names = namesOf(step);
    if (done.has(step.at) && !names.some((name) => gone.has(name))) outcomes.set(step.at, 'done');
    // What was refused may have been meant for a link that is no more: its name is looked up the next time.
    if (outcomes.refused(step.at)) for (const name of names) context.own.delete(name);
  }
}
