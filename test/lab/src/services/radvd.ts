import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED_INSIDE, type Host } from '../host';
import { until } from '../until';

export interface RadvdOptions {
  readonly ifname: string;
  readonly prefix: string;
  /** RFC 4191: of two routers a host takes the higher. */
  readonly preference: 'low' | 'medium' | 'high';
  /** It advertises only to who asks, as some modems do. */
  readonly onlyWhenAsked?: boolean;
  /** What else it advertises, as radvd.conf(5) has it for an interface. */
  readonly more?: string;
}

const PID_FILE = `${SHARED_INSIDE}/radvd.pid`;

/** Router advertisements every 3 to 4 s, and at once when asked. */
export async function startRadvd(
  router: Host,
  { ifname, prefix, preference, onlyWhenAsked = false, more = '' }: RadvdOptions,
): Promise<void> {
  const text = `interface ${ifname} {
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 1800; AdvDefaultPreference ${preference};
    UnicastOnly ${onlyWhenAsked ? 'on' : 'off'};
    prefix ${prefix} { AdvOnLink on; AdvAutonomous on; };
    ${more}
  };\n`;
  writeFileSync(join(router.shared, 'radvd.conf'), text);
  const files = ['-C', `${SHARED_INSIDE}/radvd.conf`, '-p', PID_FILE];
  const radvd = router.spawn('radvd', ['--nodaemon', '--logmethod', 'stderr', '--debug', '1', ...files]);
  await radvd.line('first poll', (line) => (line.includes('polling for') ? true : undefined));
}

/** Ends the router's radvd, which says goodbye (an advertisement of lifetime 0), and waits until it is gone. */
export async function stopRadvd(router: Host): Promise<void> {
  const pid = (await router.shell(`cat ${PID_FILE}`)).trim();
  await router.shell(`kill ${pid}`);
  await until('radvd is gone', async () => (await router.run('kill', ['-0', pid])).code !== 0);
}
