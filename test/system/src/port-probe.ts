import { lastSeen, UNWANTED, type Place } from '@pp/lab';

export type Protocol = 'tcp' | 'udp';

/** Makes the host forward IPv6 that comes by this link, as it does once a helper has seen a guest's address behind it. */
export const forwardIpv6 = (host: Place, link: string): Promise<string> =>
  host.shell(`f=/proc/sys/net/ipv6/conf/${link}/force_forwarding; [ ! -e $f ] || echo 1 > $f`);

/** Whether an answer that was wanted is missing; one that is another, or too many, is no matter of time. */
const isMissing = (seen: unknown, want: unknown): boolean =>
  seen !== want && (seen === undefined || seen === false);

/** Expects these answers; where one is missing, all are asked for again: what waits for one that must not come cannot wait long. */
export async function expectAnswers<T>(
  ask: () => Promise<readonly T[]>,
  want: readonly T[],
  context?: unknown,
): Promise<void> {
  const isComplete = (seen: readonly T[]): boolean => !seen.some((each, i) => isMissing(each, want[i]));
  const seen = await lastSeen('every answer that is wanted', ask, isComplete);
  expect([context, seen]).toEqual([context, want]);
}

/** Expects this answer, as above. */
export const expectAnswer = <T>(ask: () => Promise<T>, want: T): Promise<void> =>
  expectAnswers(async () => [await ask()], [want]);

/**
 * The address by which the peer-echo at `address` and `port` sees a client on `place`; undefined where nothing answers. `uid`: the client's.
 * The wait begins when the probe runs. A refused UDP probe is as quick as a refused TCP one: ICMP tells it.
 */
export async function seenBy(
  place: Place,
  protocol: Protocol,
  address: string,
  port: number,
  uid?: number,
): Promise<string | undefined> {
  const ask = `exec 3<>/dev/${protocol}/${address}/${port} && echo ask >&3 && head -n 1 <&3`;
  const as = uid === undefined ? [] : ['setpriv', '--reuid', String(uid), '--clear-groups', '--'];
  const [command, ...args] = [...as, 'timeout', String(UNWANTED / 1000), 'bash', '-c', ask];
  const { stdout } = await place.run(command, args);
  return /^peer (\S+) \d+$/m.exec(stdout)?.[1];
}
