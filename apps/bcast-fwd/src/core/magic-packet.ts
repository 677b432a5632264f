const SYNC = 6;
const MAC = 6;
const REPEATS = 16;

/** Six bytes of FF and 16 times one Ethernet address, then maybe a password: what wakes a machine (AMD 20213, "Magic Packet"). */
export function isMagicPacket(payload: Uint8Array): boolean {
  if (payload.length < SYNC + REPEATS * MAC) return false;
  for (let i = 0; i < SYNC; i++) if (payload[i] !== 0xff) return false;
  for (let i = SYNC + MAC; i < SYNC + REPEATS * MAC; i++) if (payload[i] !== payload[i - MAC]) return false;
  return true;
}
