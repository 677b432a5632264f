import { KernelError } from '@pp/base';
import { describe } from '@pp/datapath';
import type { Op } from '@pp/datapath';
import { delLink } from '@pp/netlink';
import type { Link as SeenLink, NetlinkRequest } from '@pp/netlink';
import { ifnamesIn, requestOf } from './configure';
import { isOurs } from './is-ours';
import type { ConfigureOp, Resolve } from './configure';
import type { Context } from './context';
import { completePeer, completion, unqueued } from './complete-link';
import { confRequests, linkConfsIn, type LinkConf } from './link-conf';
import { holdLink, makeLinks } from './make-links';
import type { HeldLink, LinkStep, MadeLink, Making } from './make-links';
import { outcomeOf, type Outcomes } from './outcomes';
import type { Step } from './runs';
import { elementsBatch, type ElementsOp } from './set-elements';
import { Spaces } from './spaces';

interface ConfigureStep {
  readonly at: number;
  readonly op: ConfigureOp;
}

interface ElementsStep {
  readonly at: number;
  readonly op: ElementsOp;
}

/**
 * Names namespaces, makes links, writes sysctls, sets all the rest: two datagrams to the host's namespace, and at the same time as the
 * second one to that of each peer, and one to the table. Links are complete or gone: one that cannot be completed is deleted again.
 */
export async function buildRun(context: Context, steps: readonly Step[], outcomes: Outcomes): Promise<void> {
  const spaces = new Spaces(context, steps, outcomes);
  const wanted = outcomes.isRefused ? [] : steps;
  const links = wanted.filter(isLinkAdd).flatMap((step) => holdLink(context, step, spaces, outcomes));
  try {
    const confs = linkConfsIn(wanted, new Set(links.map(({ op }) => op.link.ifname)));
    const sysctls = wanted.filter((step) => !confs.some(({ at }) => at === step.at));
    const [rest, elements] = [wanted.filter(isConfigure), wanted.find(isElements)];
    await buildLinks(context, { links, confs, sysctls, rest, elements }, spaces, outcomes);
  } finally {
    for (const { held } of links) held.close();
    spaces.close();
  }
}

interface Parts {
  readonly links: readonly HeldLink[];
  /** Of these links. */
  readonly confs: readonly LinkConf[];
  readonly sysctls: readonly Step[];
  readonly rest: readonly ConfigureStep[];
  readonly elements: ElementsStep | undefined;
}

async function buildLinks(
  context: Context,
  { links, confs, sysctls, rest, elements }: Parts,
  spaces: Spaces,
  outcomes: Outcomes,
): Promise<void> {
  const linksMade = makeLinks(context, links, foreignNames(context, links, rest), spaces, outcomes);
  const batch = elements === undefined ? [] : elementsBatch(elements.op); // while the kernel works
  const all = await linksMade;
  const homeless = all.made.filter(
    ({ op: { link } }) => link.kind === 'veth' && spaces.isUnnamed(link.peer.netns),
  );
  const making = { ...all, made: all.made.filter((link) => !homeless.includes(link)) };
  const peers = Promise.all(making.made.map((link) => completePeer(link, outcomes)));
  writeSysctls(context, sysctls, outcomes); // before a link comes up
  const wanted = outcomes.isRefused ? [] : rest;
  const configured = configure(context, making, { confs, rest: wanted }, outcomes);
  // Last: it goes from this thread, and others are at work by now.
  const table = elements === undefined ? null : changeTable(context, elements, batch, outcomes);
  await Promise.all([table, peers, configured]);
  keepTaps(making.made, outcomes);
  const failed = making.made.filter(({ at }) => outcomes.refused(at));
  await deleteAgain(context, [...homeless, ...failed], outcomes);
  const complete = new Map(
    making.made.filter(({ at }) => !outcomes.refused(at)).map(({ op, ifindex }) => [op.link.ifname, ifindex]),
  );
  for (const [ifname, ifindex] of complete) context.own.set(ifname, ifindex);
  const gone = new Set(links.filter(({ at }) => outcomes.refused(at)).map(({ op }) => op.link.ifname));
  for (const { at, ifname } of confs) if (complete.has(ifname)) outcomes.set(at, 'done');
  for (const { at, op } of wanted)
    if (!ifnamesIn(op).some((name) => gone.has(name))) outcomes.set(at, 'done');
}

const isLinkAdd = (step: Step): step is LinkStep => step.op.do === 'link.add';
const isElements = (step: Step): step is ElementsStep => step.op.do === 'nft.elements';
const isConfigure = (step: Step): step is ConfigureStep =>
  step.op.do !== 'netns.add' && step.op.do !== 'link.add' && step.op.do !== 'sysctl.set' && !isElements(step);

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

function writeSysctls({ sysctls }: Context, steps: readonly Step[], outcomes: Outcomes): void {
  for (const { at, op } of steps) {
    if (op.do !== 'sysctl.set' || outcomes.isRefused) continue;
    const { key, value } = op.sysctl;
    outcomes.do({ at, op }, () => {
      if (op.onlyIf === null || sysctls.read(key) === null || sysctls.holds(key, op.onlyIf))
        sysctls.write(key, value);
    });
  }
}

async function changeTable(
  { netfilter }: Context,
  { at }: ElementsStep,
  batch: readonly NetlinkRequest[],
  outcomes: Outcomes,
): Promise<void> {
  if (!outcomes.isRefused) outcomes.set(at, await outcomeOf(netfilter.transaction(batch)));
}

/** Completes the links, and does the rest. */
async function configure(
  context: Context,
  making: Making,
  { confs, rest }: Pick<Parts, 'confs' | 'rest'>,
  outcomes: Outcomes,
): Promise<void> {
  const find = finder(context, making);
  const prepare = (step: Step, request: (resolve: Resolve) => NetlinkRequest): readonly Prepared[] =>
    outcomes.try(step, () => ({
      at: step.at,
      request: { ...request(resolver(step.op, find)), label: () => describe(step.op) },
    }));
  const requests = [
    ...confRequests(making.made, confs),
    ...making.made.flatMap((link) => prepare(link, (resolve) => completion(link, resolve))),
    ...rest.flatMap((step) => prepare(step, (resolve) => requestOf(step.op, resolve))),
  ];
  const before = making.made.flatMap(unqueued);
  const answers = await context.route.requestMany([...before, ...requests.map(({ request }) => request)]);
  const results = answers.slice(before.length);
  requests.forEach(({ at }, index) => {
    outcomes.refuseIf(at, results[index]);
  });
  for (const { at, op } of rest) if (outcomes.refused(at)) forget(context, ifnamesIn(op));
}

/** What was refused may have been meant for a link that is no more: its name is looked up the next time. */
function forget({ own }: Context, names: readonly string[]): void {
  for (const name of names) own.delete(name);
}

interface Prepared {
  readonly at: number;
  readonly request: NetlinkRequest;
}

/** Of a link: those that we made are known by ifindex alone. */
type Find = (name: string) => number | SeenLink | KernelError | undefined;

function finder({ own }: Context, { made, found }: Making): Find {
  const fresh = new Map(made.map(({ op, ifindex }) => [op.link.ifname, ifindex]));
  return (name) => fresh.get(name) ?? own.get(name) ?? found.get(name);
}

const resolver =
  (op: Op, find: Find): Resolve =>
  (name, whose) => {
    const link = find(name);
    if (typeof link === 'number') return link;
    if (link === undefined || link instanceof KernelError) {
      throw new KernelError(link?.code ?? 'ENODEV', describe(op), `no interface named ${name}`);
    }
    if (whose === 'any' || isOurs(link)) return link.ifindex;
    throw new KernelError('ENODEV', describe(op), `the interface named ${name} is not ours`);
  };

function keepTaps(made: readonly MadeLink[], outcomes: Outcomes): void {
  for (const link of made)
    if (!outcomes.refused(link.at)) outcomes.do(link, () => link.held.tap?.persist(true));
}

/** As if they had never been. A TAP that was not kept goes when it is released. */
async function deleteAgain(
  { route }: Context,
  links: readonly MadeLink[],
  outcomes: Outcomes,
): Promise<void> {
  const doomed = links.filter(({ held }) => held.tap === null);
  const results = await route.requestMany(doomed.map(({ ifindex }) => delLink(ifindex)));
  doomed.forEach(({ at }, index) => {
    const result = results[index];
    if (result instanceof KernelError && result.code !== 'ENODEV') outcomes.amend(at, result);
  });
}
