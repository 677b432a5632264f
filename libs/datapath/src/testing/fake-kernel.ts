import { assertNever, KernelError, type Errno } from '@pp/base';
import { describe } from '../describe';
import type { Kernel, Observed, Outcome } from '../kernel';
import type { Op } from '../op';
import { ifnameOfSysctl } from '../sysctl-keys';
import { FakeNet, type ForeignLink } from './fake-net';
import { FakeRefusal, present, refuseIf } from './fake-refusal';
import { FakeTable } from './fake-table';

export interface FakeHost {
  /** Links that are there without us. */
  readonly links?: readonly ForeignLink[];
  /** Keys that this kernel has, beside those of our own links. */
  readonly sysctls?: ReadonlyMap<string, string>;
  /** What becomes of the steps that share a batch with a refused one; the contract allows both. */
  readonly afterRefusal?: 'skip' | 'go on';
}

/** A kernel in memory, as strict as Linux: what is there cannot be added, what is absent not deleted or used. */
export class FakeKernel implements Kernel {
  readonly #net: FakeNet;
  readonly #sysctls: Map<string, string>;
  readonly #afterRefusal: 'skip' | 'go on';
  #table: FakeTable | null = null;
  #fault: { countdown: number; readonly code: Errno } | null = null;

  constructor({ links = [], sysctls = new Map(), afterRefusal = 'skip' }: FakeHost = {}) {
    this.#net = new FakeNet(links);
    this.#sysctls = new Map(sysctls);
    this.#afterRefusal = afterRefusal;
  }

  /** The n-th step attempted from now on (1: the next) is refused with `code` and does nothing; the one after it works again. */
  failAt(n: number, code: Errno): void {
    this.#fault = { countdown: n, code };
  }

  /** Something else than us changes a sysctl. */
  writeSysctl(key: string, value: string): void {
    this.#sysctls.set(key, value);
  }

  /** Something else than us flushes the ruleset. */
  flushRuleset(): void {
    this.#table = null;
  }

  apply(ops: readonly Op[]): Promise<readonly Outcome[]> {
    let isRefused = false;
    let isOver = false;
    const outcomes = ops.map((op): Outcome => {
      isOver ||= isRefused && !isBatched(op);
      if (isOver) return 'skipped';
      const outcome = this.#attempt(op);
      isRefused ||= outcome !== 'done';
      isOver ||= isRefused && (this.#afterRefusal === 'skip' || !isBatched(op));
      return outcome;
    });
    return Promise.resolve(outcomes);
  }

  observe(ask: {
    readonly netns: readonly string[];
    readonly sysctls: readonly string[];
  }): Promise<Observed> {
    return Promise.resolve({
      ...this.#net.observe(),
      table: this.#table !== null,
      chains: this.#table?.chainNames ?? [],
      netns: ask.netns.filter(this.#net.hasNetns),
      sysctls: new Map(
        ask.sysctls.flatMap((key) => {
          const value = this.#sysctls.get(key);
          return value === undefined ? [] : [[key, value] as const];
        }),
      ),
    });
  }

  /** Elements of the table's sets, sorted: `guests arc_ns0`. */
  elements(): readonly string[] {
    return (this.#table?.elements ?? []).toSorted();
  }

  /** All that we made, in sorted lines in the style of ip and nft, and the sysctls. */
  dump(): string {
    const sysctls = [...this.#sysctls].map(([key, value]) => `sysctl ${key} = ${value}`).sort();
    const table = this.#table === null ? [] : ['table inet patchpanel', ...this.#table.dump()];
    return [...this.#net.dump(), ...sysctls, ...table].join('\n');
  }

  #attempt(op: Op): Outcome {
    try {
      if (this.#fault !== null && --this.#fault.countdown === 0) {
        const { code } = this.#fault;
        this.#fault = null;
        throw new FakeRefusal(code, 'injected');
      }
      this.#do(op);
      if (op.do.endsWith('.del')) this.#dropOrphanSysctls();
      return 'done';
    } catch (fault) {
      if (!(fault instanceof FakeRefusal)) throw fault;
      return new KernelError(fault.code, describe(op), fault.detail);
    }
  }

  #do(op: Op): void {
    switch (op.do) {
      case 'netns.add':
        this.#net.addNetns(op.netns);
        break;
      case 'netns.del':
        this.#net.delNetns(op.netns);
        break;
      case 'link.add':
        this.#net.addLink(op.link);
        break;
      case 'link.del':
        this.#net.delLink(op.link);
        break;
      case 'link.set':
        this.#net.setLink(op.link);
        break;
      case 'address.add':
        this.#net.addAddress(op.address);
        break;
      case 'address.del':
        this.#net.delAddress(op.address);
        break;
      case 'route.add':
        this.#net.addRoute(op.route);
        break;
      case 'route.del':
        this.#net.delRoute(op.route);
        break;
      case 'rule.add':
        this.#net.addRule(op.rule);
        break;
      case 'rule.del':
        this.#net.delRule(op.rule);
        break;
      case 'nft.load':
        this.#load(op.text);
        break;
      case 'nft.elements':
        this.#table = present(this.#table ?? undefined, 'ENOENT', 'table').withElements(op.add, op.del);
        break;
      case 'sysctl.set':
        this.#setSysctl(op);
        break;
      default:
        assertNever(op);
    }
  }

  #load(text: string | null): void {
    refuseIf(text === null && this.#table === null, 'ENOENT', 'table');
    this.#table = text === null ? null : FakeTable.load(text, this.#table);
  }

  #setSysctl({ sysctl: { key, value }, onlyIf }: Extract<Op, { do: 'sysctl.set' }>): void {
    const ifname = ifnameOfSysctl(key);
    const exists = this.#sysctls.has(key) || (ifname !== null && this.#net.hasLink(ifname));
    refuseIf(!exists, 'ENOENT', key);
    if (onlyIf === null || this.#sysctls.get(key) === onlyIf) this.#sysctls.set(key, value);
  }

  #dropOrphanSysctls(): void {
    for (const key of this.#sysctls.keys()) {
      const ifname = ifnameOfSysctl(key);
      if (ifname !== null && !this.#net.hasLink(ifname)) this.#sysctls.delete(key);
    }
  }
}

/** See Kernel.apply. */
const isBatched = ({ do: verb }: Op): boolean =>
  verb !== 'link.del' && /^(link|address|route|rule|sysctl)\./.test(verb);
