import type { Place } from '../place';

/** Whether one ICMP echo to `address`, of either family, is answered within 2 s. */
export async function pings(place: Place, address: string): Promise<boolean> {
  const { code } = await place.run('ping', ['-n', '-c', '1', '-W', '2', address]);
  return code === 0;
}
