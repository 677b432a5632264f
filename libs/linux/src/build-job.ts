import { KernelError } from '@pp/base';
import { describe, ifnameOfSysctl } from '@pp/datapath';
import type { Op } from '@pp/datapath';
import type { JobPart, JobResult, Link as SeenLink, NetlinkRequest } from '@pp/netlink';
import { completion, peerCompletion, unqueued } from './complete-link';
import { ifnamesIn, requestOf, type ConfigureOp, type Resolve } from './configure';
import { isOurs } from './is-ours';
import { confRequests, type LinkConf } from './link-conf';
import { creation, type NumberedLink } from './new-links';
import { kernelErrorOf } from './errors';
import type { Outcomes } from './outcomes';
import type { Step } from './runs';
import { sysctlPath } from './sysctl-files';

export interface ConfigureStep {
  readonly at: number;
  readonly op: ConfigureOp;
}

export interface SysctlStep {
  readonly at: number;
  readonly op: Extract<Op, { do: 'sysctl.set' }>;
}

/** What a job does: all of it, or what came before the first refusal. */
export interface Work {
  readonly links: readonly NumberedLink[];
  /** Of these links. */
  readonly confs: readonly LinkConf[];
  readonly sysctls: readonly SysctlStep[];
  readonly rest: readonly ConfigureStep[];
}

/** Of a link: those that we made, or make, are known by ifindex alone. */
export type Find = (ifname: string) => number | SeenLink | KernelError | undefined;

/** A part of the job, and the places of the steps that its results are of. */
export interface Piece {
  readonly part: JobPart;
  readonly ats: readonly number[];
}

/** A step of which nothing can be said to the kernel. */
export interface Fault {
  readonly at: number;
  readonly fault: KernelError;
}

export interface BuildJob {
  /** The first one makes the links. */
  readonly pieces: readonly Piece[];
  /** Steps that come after these; where there are some, nothing more is attempted. */
  readonly faults: readonly Fault[];
}

/** Links are made; sysctls written; links completed and all else set, the host's side before the far ends of links. */
export function buildJob({ links, confs, sysctls, rest }: Work, find: Find): BuildJob {
  const faults: Fault[] = []; // BOUNDED: by the work
  const prepare = ({ at, op }: Step, request: (resolve: Resolve) => NetlinkRequest): readonly Prepared[] => {
    try {
      return [{ at, request: { ...request(resolver(op, find)), label: () => describe(op) } }];
    } catch (error) {
      faults.push({ at, fault: kernelErrorOf(error, describe(op)) });
      return [];
    }
  };
  const made = pieceOf(links.flatMap((link) => creation(link).map((request) => ({ at: link.at, request }))));
  const host = pieceOf([
    ...confRequests(links, confs),
    ...links.flatMap((link) => prepare(link, (resolve) => completion(link, resolve))),
    ...rest.flatMap((step) => prepare(step, (resolve) => requestOf(step.op, resolve))),
  ]);
  const unqueue: Piece = {
    part: { requests: links.flatMap(unqueued), netnsFd: null, mayFail: true },
    ats: [],
  };
  const before = [made, ...sysctls.map(sysctlPiece)];
  const pieces = faults.length > 0 ? before : [...before, unqueue, host, ...links.map(peerPiece)];
  return { pieces, faults };
}

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
export function settle(
  { pieces, faults }: BuildJob,
  results: readonly (readonly JobResult[])[],
  outcomes: Outcomes,
): ReadonlySet<number> {
  const [done, undone] = [new Set<number>(), new Set<number>()];
  pieces.forEach(({ ats }, piece) => {
    ats.forEach((at, index) => {
      const result = results[piece]?.[index] ?? null;
      outcomes.refuseIf(at, result);
      (isDone(result) ? done : undone).add(at);
    });
  });
  if (undone.size === 0) for (const { at, fault } of faults) outcomes.set(at, fault);
  for (const at of undone) done.delete(at);
  return done;
}

export const isDone = (result: JobResult | undefined): boolean =>
  result !== undefined && result !== null && !(result instanceof KernelError);
