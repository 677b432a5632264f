import { accept, refuse, type Checked } from '@pp/base';
import { checkedIfname } from '@pp/daemon';
import { ipv4ToNumber, parseIpv4 } from '@pp/wire';

/** "wg0=10.9.0.2" each; several for one interface are all sent to. */
export function checkedTargets(texts: readonly string[]): Checked<ReadonlyMap<string, readonly number[]>> {
  const targets = new Map<string, readonly number[]>(); // BOUNDED: by the command line
  for (const text of texts) {
    const [ifname = '', addressText = '', ...more] = text.split('=');
    const address = parseIpv4(addressText);
    if (address === null || more.length > 0 || !checkedIfname(ifname).ok)
      return refuse(
        'InvalidArgument',
        `--target '${text}' is not IF=ADDR; write for example --target wg0=10.9.0.2`,
      );
    targets.set(ifname, [...(targets.get(ifname) ?? []), ipv4ToNumber(address)]);
  }
  return accept(targets);
}
