import { accept, refuse, type Checked } from '@pp/base';

/** Where a store is. */
export type StoreAddress =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'redis'; readonly url: string };

export const STORE_EXAMPLE = 'redis://10.0.0.1:6379';
/** In the directory that the unit of counters may write to. */
export const FILE_STORE_EXAMPLE = 'file:/var/lib/patchpanel/fleet-sums';

/** "memory:", "file:/PATH", "redis://[USER:PASSWORD@]HOST[:PORT][/DB]", "rediss://..." with TLS, "redis+unix:/PATH[?db=DB&password=PASSWORD]". */
export function checkedStore(text: string): Checked<StoreAddress> {
  if (text === 'memory:') return accept({ kind: 'memory' });
  const [, scheme, rest = ''] = /^([a-z+]+):(.*)$/s.exec(text) ?? [];
  switch (scheme) {
    case 'file':
      return rest.startsWith('/')
        ? accept({ kind: 'file', path: rest })
        : no(text, `has no path from the root; write for example ${FILE_STORE_EXAMPLE}`);
    case 'redis+unix':
      return rest.startsWith('/')
        ? accept({ kind: 'redis', url: text })
        : no(text, 'has no path from the root; write for example redis+unix:/run/redis/redis.sock');
    case 'redis':
    case 'rediss':
      return checkedUrl(text);
    default:
      return no(
        text,
        'is no store; write redis://HOST[:PORT][/DB], rediss://HOST[:PORT][/DB], redis+unix:/PATH or file:/PATH',
      );
  }
}

/** A URL without its password, for logs and the status. */
export function shownStore(address: StoreAddress): string {
  switch (address.kind) {
    case 'memory':
      return 'memory:';
    case 'file':
      return `file:${address.path}`;
    case 'redis':
      return withoutPassword(address.url);
  }
}

function checkedUrl(text: string): Checked<StoreAddress> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSound =
    url !== undefined &&
    url.hostname !== '' &&
    /^(\/\d{0,4})?$/.test(url.pathname) &&
    url.search + url.hash === '';
  return isSound
    ? accept({ kind: 'redis', url: text })
    : no(text, `is no address of Redis; write for example ${STORE_EXAMPLE}`);
}

/** Whatever may be one, also where the text is no address: up to the last @, and after a question mark. */
const withoutPassword = (text: string): string => text.replace(/:.*@/s, '://').replace(/\?.*/s, '');

const no = (text: string, why: string): Checked<StoreAddress> =>
  refuse('InvalidArgument', `store '${withoutPassword(text)}' ${why}`);
