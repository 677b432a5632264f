import { KernelError } from '@pp/base';
import { describe, ifnameOfSysctl } from '@pp/datapath';
import type { Op } from '@pp/datapath';
import type { JobPart, JobResult, Link as SeenLink, NetlinkRequest } from '@pp/netlink';
import { peerCompletion, preparation, rise, unqueued } from './complete-link';
import { ifnamesIn, requestOf, type ConfigureOp, type Resolve } from './configure';
import { isOurs } from './is-ours';
import { linkConfsIn, type SysctlStep } from './link-conf';
import { creation, relabelled, type NumberedLink } from './new-links';
import { kernelErrorOf } from './errors';
import type { Outcomes } from './outcomes';
import type { Step } from './runs';
import { sysctlPath } from './sysctl-files';

export interface ConfigureStep {
  readonly at: number;
  readonly op: ConfigureOp;
}

/** What a job does: all of it, or what came before the first refusal. */
export interface Work {
  readonly links: readonly NumberedLink[];
  readonly settings: readonly SysctlStep[];
  readonly rest: readonly ConfigureStep[];
}

/** Of a link: those that we made, or make, are known by ifindex alone. */
export type Find = (ifname: string) => number | SeenLink | KernelError | undefined;

/** A part of the job, and the places of the steps that its results are of. */
export interface Piece {
  readonly part: JobPart;
  readonly ats: readonly number[];
}

/** Of each piece, and in it of each message or file. */
type Results = readonly (readonly JobResult[])[];

/** A step of which nothing can be said to the kernel. */
export interface Fault {
  readonly at: number;
  readonly fault: KernelError;
}

/** What comes behind the making of links. */
export interface Rest {
  readonly pieces: readonly Piece[];
  /** Steps that come after these; where there are some, nothing more is attempted. */
  readonly faults: readonly Fault[];
}

/** The job's first pieces, one for each link, and so little of it that the kernel can begin while the rest is put into words. */
export const creations = (links: readonly NumberedLink[]): readonly Piece[] =>
  links.map((link) => ({ part: creation(link), ats: [link.at] }));

/** Sysctls are written; links completed and all else set, the host's side before the far ends of links. */
export function restOf({ links, settings, rest }: Work, find: Find): Rest {
  const confs = linkConfsIn(settings, new Set(links.map(({ op }) => op.link.ifname)));
  const sysctls = settings.filter(({ at }) => !confs.some((conf) => conf.at === at));
  const faults: Fault[] = []; // BOUNDED: by the work
  const prepare = (step: Step, request: (resolve: Resolve) => NetlinkRequest): readonly Prepared[] => {
    try {
      return [preparedBy(step, request(resolver(step.op, find)))];
    } catch (error) {
      faults.push({ at: step.at, fault: kernelErrorOf(error, describe(step.op)) });
      return [];
    }
  };
  const host = pieceOf([
    ...links.flatMap((link) => prepare(link, (resolve) => preparation(link, confs, resolve))),
    ...links.map((link) => preparedBy(link, rise(link))),
    ...rest.flatMap((step) => prepare(step, (resolve) => requestOf(step.op, resolve))),
  ]);
  const files = sysctls.map(sysctlPiece);
  if (faults.length > 0) return { pieces: files, faults };
  const unqueue: Piece = {
    part: { requests: links.flatMap(unqueued), netnsFd: null, mayFail: true },
    ats: [],
  };
  return { pieces: [...files, unqueue, host, ...links.map(peerPiece), ...keeping(links)], faults };
}

/** Without it TAPs go when the job ends, or we do. */
function keeping(links: readonly NumberedLink[]): readonly Piece[] {
  const tap = links.find(({ op }) => op.link.kind === 'tap');
  return tap === undefined
    ? []
    : [{ part: { keepTaps: true, label: () => `${describe(tap.op)}: keep` }, ats: [tap.at] }];
}

const preparedBy = ({ at, op }: Step, request: NetlinkRequest): Prepared => ({
  at,
  request: relabelled(request, () => describe(op)),
});

interface Prepared {
  readonly at: number;
  readonly request: NetlinkRequest;
}

const pieceOf = (prepared: readonly Prepared[], netnsFd: number | null = null): Piece => ({
  part: { requests: prepared.map(({ request }) => request), netnsFd },
  ats: prepared.map(({ at }) => at),
});

const peerPiece = (link: NumberedLink): Piece =>
  pieceOf(
    peerCompletion(link).map((request) => ({ at: link.at, request })),
    link.held.netnsFd,
  );

const sysctlPiece = ({ at, op: { sysctl } }: SysctlStep): Piece => ({
  part: {
    file: sysctlPath(sysctl.key) ?? '', // which no file is called
    value: sysctl.value,
    label: () => `sysctl.set ${sysctl.key} = ${sysctl.value}`,
  },
  ats: [at],
});

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

/** Interfaces that a step is about. */
export const namesOf = ({ op }: ConfigureStep | SysctlStep): readonly string[] =>
  op.do === 'sysctl.set' ? [ifnameOfSysctl(op.sysctl.key) ?? ''] : ifnamesIn(op);

/** Says what was refused; gives the places of steps all of whose parts were done. */
export function settle({ pieces, faults }: Rest, results: Results, outcomes: Outcomes): ReadonlySet<number> {
  const [done, undone] = [new Set<number>(), new Set<number>()];
  pieces.forEach(({ part, ats }, piece) => {
    ats.forEach((at, index) => {
      const result = results[piece]?.[index] ?? null;
      outcomes.refuseIf(at, 'tap' in part ? inUse(result) : result);
      (isDone(result) ? done : undone).add(at);
    });
  });
  if (undone.size === 0) for (const { at, fault } of faults) outcomes.set(at, fault);
  for (const at of undone) done.delete(at);
  return done;
}

/** The kernel calls a TAP of that name busy; the door says the same of all kinds of links. */
const inUse = (result: JobResult): JobResult =>
  result instanceof KernelError && result.code === 'EBUSY'
    ? new KernelError('EEXIST', result.request)
    : result;

export const isWhole = ({ pieces, faults, results }: Rest & { readonly results: Results }): boolean =>
  faults.length === 0 &&
  pieces.every(({ ats }, piece) => ats.every((_, index) => isDone(results[piece]?.[index])));

export const isDone = (result: JobResult | undefined): boolean =>
  result !== undefined && result !== null && !(result instanceof KernelError);
