import { KernelError } from '@pp/base';
import type { HostInspection, InspectedNetwork } from '../host-inspection';

/** What a host that is not there would say. */
export interface HostScript {
  readonly files: Readonly<Record<string, string>>;
  readonly sysctls: Readonly<Record<string, string>>;
  /** Devices that open; with an errno, that are refused by it. Others are ENOENT. */
  readonly devices: Readonly<Record<string, string | null>>;
  readonly network: InspectedNetwork;
  /** Or the refusal. */
  readonly ruleset: string | KernelError;
  readonly datapathFault: string | null;
}

/** A host by script. */
export class FakeHostInspection implements HostInspection {
  #closed = false;

  constructor(private readonly script: HostScript) {}

  text(path: string): string | null {
    return this.#open().files[path] ?? null;
  }

  names(directory: string): readonly string[] {
    const inside = Object.keys(this.#open().files).filter((path) => path.startsWith(`${directory}/`));
    return [...new Set(inside.map((path) => path.slice(directory.length + 1).split('/')[0] ?? ''))].sort();
  }

  sysctl(key: string): string | null {
    return this.#open().sysctls[key] ?? null;
  }

  openFault(path: string): string | null {
    const { devices } = this.#open();
    const found = devices[path];
    return found === undefined ? 'ENOENT' : found;
  }

  network(): Promise<InspectedNetwork> {
    return Promise.resolve(this.#open().network);
  }

  ruleset(): Promise<string> {
    const { ruleset } = this.#open();
    return ruleset instanceof KernelError ? Promise.reject(ruleset) : Promise.resolve(ruleset);
  }

  tryDatapath(): Promise<string | null> {
    return Promise.resolve(this.#open().datapathFault);
  }

  close(): void {
    this.#closed = true;
  }

  #open(): HostScript {
    if (this.#closed) throw new Error('closed already');
    return this.script;
  }
}
