import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED_INSIDE, type Host } from '../host';

export interface RadvdOptions {
  readonly ifname: string;
  readonly prefix: string;
  /** RFC 4191: of two routers a host takes the higher. */
  readonly preference: 'low' | 'medium' | 'high';
}

/** Router advertisements every 3 to 4 s, and at once when asked. */
export async function startRadvd(router: Host, { ifname, prefix, preference }: RadvdOptions): Promise<void> {
  const text = `interface ${ifname} {
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvDefaultLifetime 1800; AdvDefaultPreference ${preference};
    prefix ${prefix} { AdvOnLink on; AdvAutonomous on; };
  };\n`;
  writeFileSync(join(router.shared, 'radvd.conf'), text);
  const files = ['-C', `${SHARED_INSIDE}/radvd.conf`, '-p', `${SHARED_INSIDE}/radvd.pid`];
  const radvd = router.spawn('radvd', ['--nodaemon', '--logmethod', 'stderr', '--debug', '1', ...files]);
  await radvd.line('first poll', (line) => (line.includes('polling for') ? true : undefined));
}
