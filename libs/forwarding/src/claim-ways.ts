import { readFileSync } from 'node:fs';
import { claimantOf, claimName, ExitCode, Refused, type ClaimableName, type DaemonContext } from '@pp/daemon';
import { waysMeet, wayName, wayNamed, type Way } from './way';

type Needs = Pick<DaemonContext<unknown>, 'native' | 'log' | 'scope'>;

/**
 * Keeps these ways to this process as long as it runs: what two relay on one way arrives twice, and so do the answers. Throws Refused where
 * another relay of this network namespace has one of them; all others are free, also those of the same LAN.
 */
export function claimWays(context: Needs, app: string, ways: readonly Way[]): void {
  const refusal = (way: Way, pid: number): Refused =>
    new Refused(
      ExitCode.failed,
      `another ${app}, pid ${pid}, relays ${way.what} between ${way.lan} and ${way.guest}`,
      { advice: 'what two relay arrives twice: stop it, or name interfaces that it does not serve' },
    );
  const own = new Map(ways.map((way) => [wayName(app, way), way]));
  for (const [name, way] of own)
    context.scope.use(claimName(context, claimable(name), (pid) => refusal(way, pid)));
  const others = waysHere(app).filter(({ name }) => !own.has(name));
  for (const each of ways)
    for (const { name, way } of others.filter((other) => waysMeet(each, other.way))) {
      const pid = claimantOf(context.native, claimable(name));
      if (pid !== null) throw refusal(way, pid);
    }
  const follower = claimantOf(context.native, following(app));
  if (follower !== null) tellOther(context, follower, 'what the manager says');
}

/** Makes this the only relay of its network namespace that follows the manager, as long as it runs. Throws Refused where there is another. */
export function claimFollowing(context: Needs, app: string): void {
  const refusal = (pid: number): Refused =>
    new Refused(ExitCode.failed, `another ${app}, pid ${pid}, follows the manager`, {
      advice: 'what two relay arrives twice: stop it, or let it do this one’s work',
    });
  context.scope.use(claimName(context, following(app), refusal));
  const others = waysHere(app).map(({ name }) => claimantOf(context.native, claimable(name)));
  for (const pid of new Set(others)) if (pid !== null) tellOther(context, pid, 'interfaces of its own');
}

const claimable = (name: string): ClaimableName => ({ name, right: 'CAP_NET_RAW' });
const following = (app: string): ClaimableName => claimable(`@patchpanel_${app}`);

/** Which pairs a manager names is not known beforehand. */
function tellOther({ log }: Needs, pid: number, relays: string): void {
  log.warn('relay.another', { pid, relays, note: 'what both relay arrives twice' });
}

/** All that somebody claims to relay in this network namespace. */
function waysHere(app: string): readonly { readonly name: string; readonly way: Way }[] {
  const names = new Set(readFileSync('/proc/net/unix', 'utf8').match(/(?<= )@\S+$/gm));
  return [...names].flatMap((name) => {
    const way = wayNamed(app, name);
    return way === null ? [] : [{ name, way }];
  });
}
