import type { SeededRandom } from '@pp/base/testing';
import { CAPTURED } from '@pp/wire/testing';
import { advertise, DOWN, GUEST, NEIGHBOR, redirect, routerAdvert, routerSolicit, solicit } from './scene';

/** Frames that pass, to be broken. */
export const MESSAGES: readonly Uint8Array[] = [
  ...Object.values(CAPTURED),
  solicit({ mac: 2, source: GUEST }, NEIGHBOR),
  advertise({ mac: 2, source: GUEST }, NEIGHBOR, DOWN),
  routerAdvert(),
  routerSolicit({ mac: 2, source: GUEST }),
  redirect(GUEST, { target: NEIGHBOR, destination: NEIGHBOR }),
];

/** PP_FUZZ_ROUNDS for longer runs by hand; PP_FUZZ_SEED to repeat one. */
export const ROUNDS = Number(process.env['PP_FUZZ_ROUNDS'] ?? 20_000);
export const SEED = Number(process.env['PP_FUZZ_SEED'] ?? 4389);

/** Cut short, or with some bytes changed, or neither. */
export function broken(seed: Uint8Array, random: SeededRandom): Uint8Array {
  const frame = random.below(4) === 0 ? seed.slice(0, random.below(seed.length + 1)) : seed.slice();
  for (let n = random.below(4); n > 0 && frame.length > 0; n--)
    frame[random.below(frame.length)] = random.below(256);
  return frame;
}
