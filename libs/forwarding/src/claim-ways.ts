import { readFileSync } from 'node:fs';
import {
  claimantOf,
  claimName,
  ExitCode,
  Refused,
  type Claim,
  type ClaimableName,
  type DaemonContext,
} from '@pp/daemon';
import { onlyOne } from './only-one';
import { waysMeet, wayName, wayNamed, type Way } from './way';

type Needs = Pick<DaemonContext<unknown>, 'native' | 'log' | 'scope'>;

/**
 * The ways that this process alone relays as long as it runs: what two relay on one way arrives twice, and so do the answers. All others
 * of its network namespace are free, also those of the same LAN.
 */
export class OwnWays {
  readonly #context: Needs;
  readonly #app: string;
  readonly #claims = new Map<string, Claim>(); // BOUNDED: by the ways

  constructor(context: Needs, app: string) {
    this.#context = context;
    this.#app = app;
    context.scope.use(this);
    const follower = claimantOf(context.native, onlyOne(app));
    if (follower !== null) tellOther(context, follower, 'what the manager says');
  }

  /** These, and no others any more. Throws Refused where another relay has one of them: then all is as it was. */
  change(ways: readonly Way[]): void {
    const before = new Set(this.#claims.keys());
    const wanted = new Map(ways.map((way) => [wayName(this.#app, way), way]));
    try {
      for (const [name, way] of wanted) this.#claim(name, way);
      this.#seekOthers(ways);
    } catch (fault) {
      this.#keep(before);
      throw fault;
    }
    this.#keep(wanted);
  }

  close(): void {
    this.#keep(new Set());
  }

  #claim(name: string, way: Way): void {
    if (this.#claims.has(name)) return;
    this.#claims.set(
      name,
      claimName(this.#context, claimable(name), (pid) => this.#refusal(way, pid)),
    );
  }

  /** Names that are written differently may be of one way. */
  #seekOthers(ways: readonly Way[]): void {
    const others = waysHere(this.#app).filter(({ name }) => !this.#claims.has(name));
    for (const each of ways)
      for (const { name, way } of others.filter((other) => waysMeet(each, other.way))) {
        const pid = claimantOf(this.#context.native, claimable(name));
        if (pid !== null) throw this.#refusal(way, pid);
      }
  }

  #refusal({ what, lan, guest }: Way, pid: number): Refused {
    return new Refused(
      ExitCode.failed,
      `another ${this.#app}, pid ${pid}, relays ${what} between ${lan} and ${guest}`,
      { advice: 'what two relay arrives twice: stop it, or name interfaces that it does not serve' },
    );
  }

  #keep(names: { has(name: string): boolean }): void {
    for (const [name, claim] of this.#claims)
      if (!names.has(name)) {
        claim.close();
        this.#claims.delete(name);
      }
  }
}

/** Makes this the only relay of its network namespace that follows the manager, as long as it runs. Throws Refused where there is another. */
export function claimFollowing(context: Needs, app: string): void {
  const refusal = (pid: number): Refused =>
    new Refused(ExitCode.failed, `another ${app}, pid ${pid}, follows the manager`, {
      advice: 'what two relay arrives twice: stop it, or let it do this one’s work',
    });
  context.scope.use(claimName(context, onlyOne(app), refusal));
  const others = waysHere(app).map(({ name }) => claimantOf(context.native, claimable(name)));
  for (const pid of new Set(others)) if (pid !== null) tellOther(context, pid, 'interfaces of its own');
}

const claimable = (name: string): ClaimableName => ({ name, right: 'CAP_NET_RAW' });

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
