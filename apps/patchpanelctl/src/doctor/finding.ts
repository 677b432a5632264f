import { printable } from '@pp/daemon';

/** What one check says. `problem`: guests' network does not work, or not as it should; `warning`: it may not. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'problem';
  /** Of the check. */
  readonly name: string;
  readonly found: string;
  /** What to do about it; absent: nothing. */
  readonly advice?: string;
}

export const ok = (name: string, found: string): Finding => ({ level: 'ok', name, found });

export const warning = (name: string, found: string, advice: string): Finding => ({
  level: 'warning',
  name,
  found,
  advice,
});

export const problem = (name: string, found: string, advice: string): Finding => ({
  level: 'problem',
  name,
  found,
  advice,
});

/** What could not be looked at. */
export const unseen = (
  name: string,
  { why, denied }: { readonly why: string; readonly denied: boolean },
): Finding =>
  warning(name, `cannot be looked at: ${why}`, denied ? 'run this as root' : 'mend what is said above');

/** `ok NAME: what was found; what to do` */
export const lineOf = ({ level, name, found, advice }: Finding): string =>
  `${level} ${name}: ${printable(advice === undefined ? found : `${found}; ${advice}`)}\n`;
