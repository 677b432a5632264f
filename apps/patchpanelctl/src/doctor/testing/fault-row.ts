import type { HostScript } from '@pp/ports/testing';
import type { Finding } from '../finding';

/** A host as the doctor sees it: what a script says of it, and what services and the bus answer. */
export interface Setting {
  readonly host: HostScript;
  /** What the manager's status socket says; null: nobody answers. */
  readonly manager: object | null;
  /** Services whose status socket nobody answers at. */
  readonly silent: readonly string[];
  /** null: it cannot be reached. */
  readonly bus: { readonly hasManager: boolean } | null;
  readonly hasOwnBus: boolean;
}

/** One fault, and all that the doctor finds then; `lab`: how it comes and goes on a real host with eth0 and the VM link vmtap0. */
export interface FaultRow {
  readonly name: string;
  readonly change: (setting: Setting) => Setting;
  readonly want: readonly Finding[];
  readonly lab?: { readonly comes: string; readonly goes: string; readonly needs?: string };
}
