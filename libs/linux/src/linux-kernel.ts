import type { Clock, Logger } from '@pp/base';
import { describe } from '@pp/datapath';
import type { Kernel, Observed, Op, Outcome } from '@pp/datapath';
import type { Native } from '@pp/native';
import {
  batch,
  delTable,
  NetlinkClient,
  netlinkIn,
  NetlinkJobs,
  netlinkWorkerIn,
  PromptSocket,
} from '@pp/netlink';
import type { OpenNetlink } from '@pp/netlink';
import { buildRun } from './build-run';
import type { Context } from './context';
import { deleteRun } from './delete-run';
import { hostNetns } from './host-netns';
import { Ifindexes } from './ifindexes';
import { NetnsNames, type OpenNamespaces } from './netns-names';
import { followMtu, resizedIn } from './peer-mtu';
import { NftRunner } from './nft-runner';
import { NftWriters } from './nft-writers';
import { observe } from './observe';
import type { Ask } from './observe';
import { outcomeOf, Outcomes } from './outcomes';
import { runsOf } from './runs';
import type { Run, Step } from './runs';
import { elementsBatch, OUR_TABLE } from './set-elements';
import { SysctlFiles } from './sysctl-files';

export interface LinuxKernelOptions {
  readonly native: Native;
  readonly log: Logger;
  readonly clock: Clock;
  /** Namespace to work in; default: the process's own. */
  readonly netnsFd?: number;
  /** Where namespaces have names; default /run/netns. */
  readonly netnsDirectory?: string;
  /** What is held open when it gets a name; default: each is opened by its pid. */
  readonly openNamespaces?: OpenNamespaces;
  /** Default: nft of the system's directories. */
  readonly nftProgram?: string;
  /** Of links that are made; default: from anywhere. */
  readonly ifindexes?: Ifindexes;
  /** Learns by which ports nftables is edited. */
  readonly writers?: NftWriters;
}

/**
 * The door to Linux. Theory of operation: steps are cut into runs of those that can go together (`runsOf`); each run is as few datagrams
 * as will do, and the next begins when the kernel has answered. After a run with a refusal the rest is skipped. Interfaces are
 * meant by ifindex; names are turned into those once, and a link is touched or deleted only if we made it or it carries our tag.
 */
export class LinuxKernel implements Kernel {
  readonly #context: Context;
  readonly #nft: NftRunner;
  readonly #log: Logger;
  /** One caller at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: LinuxKernelOptions) {
    const {
      native,
      log,
      clock,
      netnsFd,
      netnsDirectory = '/run/netns',
      openNamespaces,
      nftProgram,
      ifindexes = new Ifindexes(),
      writers = new NftWriters(),
    } = options;
    this.#log = log;
    const inHost = hostNetns(native, netnsFd);
    const openNetfilter: OpenNetlink = (events) => {
      const socket = new PromptSocket(netlinkIn(native, 'netfilter', netnsFd)(events));
      writers.socketOpened(socket.portId);
      return socket;
    };
    this.#context = {
      native,
      inHost,
      route: new NetlinkClient(netlinkIn(native, 'route', netnsFd)),
      jobs: new NetlinkJobs(netlinkWorkerIn(native, netnsFd)),
      ifindexes,
      netfilter: new NetlinkClient(openNetfilter),
      netns: new NetnsNames(native, netnsDirectory, openNamespaces),
      sysctls: new SysctlFiles(inHost),
      own: new Map(),
    };
    this.#nft = new NftRunner({
      native,
      clock,
      inHost,
      writers,
      ...(nftProgram === undefined ? {} : { program: nftProgram }),
    });
  }

  apply(ops: readonly Op[]): Promise<readonly Outcome[]> {
    return this.#afterLast(async () => {
      const outcomes = new Outcomes(ops.length);
      for (const run of runsOf(ops)) {
        if (outcomes.isRefused) break;
        await this.#do(run, outcomes);
      }
      this.#log.debug('kernel.apply', { steps: ops.length, refused: outcomes.isRefused });
      return outcomes.all;
    });
  }

  observe(ask: Ask): Promise<Observed> {
    return this.#afterLast(() => observe(this.#context, ask));
  }

  /** Whoever waits gets ECANCELED. Nothing in the kernel changes. Idempotent. */
  close(): void {
    this.#context.route.close();
    this.#context.jobs.close();
    this.#context.netfilter.close();
  }

  #afterLast<T>(task: () => Promise<T>): Promise<T> {
    const next = this.#last.then(task);
    this.#last = next.catch(() => undefined); // its caller is told
    return next;
  }

  async #do({ kind, steps }: Run, outcomes: Outcomes): Promise<void> {
    switch (kind) {
      case 'unname':
        for (const step of steps) this.#unname(step, outcomes);
        return;
      case 'delete':
        return deleteRun(this.#context, steps, outcomes);
      case 'build': {
        await buildRun(this.#context, steps, outcomes);
        const resized = resizedIn(steps);
        if (resized.length > 0) await followMtu(this.#context, resized);
        return;
      }
      case 'load':
      case 'elements':
        for (const { at, op } of steps) outcomes.set(at, await outcomeOf(this.#table(op)));
    }
  }

  #unname(step: Step, outcomes: Outcomes): void {
    const { op } = step;
    if (op.do !== 'netns.del' || outcomes.isRefused) return;
    outcomes.do(step, () => {
      this.#context.netns.del(op.netns);
    });
  }

  async #table(op: Op): Promise<void> {
    if (op.do === 'nft.elements') await this.#context.netfilter.transaction(elementsBatch(op));
    if (op.do === 'nft.load') await this.#load(op.text, () => describe(op));
  }

  #load(text: string | null, request: () => string): Promise<void> {
    if (text !== null) return this.#nft.load(text, request());
    return this.#context.netfilter.transaction(batch(request, [delTable(OUR_TABLE)]));
  }
}
