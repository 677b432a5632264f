import type { Place } from '../place';
import { until } from '../until';

/** Whether one ICMP echo to `address`, of either family, is answered within 2 s. Of an answer that must not come; one that must is for `reaches`. */
export const pings = (place: Place, address: string): Promise<boolean> => echoes(place, address, 2);

/** Whether `address` answers an ICMP echo at last: it is asked for 20 s, each time with more patience. */
export async function reaches(place: Place, address: string): Promise<boolean> {
  let patienceSec = 1;
  const answered = (): Promise<boolean> => echoes(place, address, (patienceSec *= 2));
  return until(`${place.name} reaches ${address}`, answered).catch(() => false);
}

async function echoes(place: Place, address: string, patienceSec: number): Promise<boolean> {
  const { code } = await place.run('ping', ['-n', '-c', '1', '-W', String(patienceSec), address]);
  return code === 0;
}
