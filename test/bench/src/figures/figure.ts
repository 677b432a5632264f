import { Bed } from '../bed/bed';
import type { Row } from '../report/row';

export interface Settings {
  /** Fewer rounds: to see that it runs, not to believe the figures. */
  readonly quick: boolean;
  /** Tells the user what goes on. */
  readonly say: (text: string) => void;
}

/** One thing that is measured, by a name for `--only`. */
export interface Figure {
  readonly name: string;
  readonly about: string;
  measure(bed: Bed, settings: Settings): Promise<readonly Row[]>;
}

/** Measures in a lab of its own, which is gone afterwards, whatever happened. */
export async function inBed(figure: Figure, settings: Settings): Promise<readonly Row[]> {
  const bed = await Bed.open();
  try {
    return await figure.measure(bed, settings);
  } finally {
    await bed.close();
  }
}

/** Says how far it is, every tenth of the way. */
export function progress({ say }: Settings, what: string, rounds: number): (round: number) => void {
  const step = Math.max(1, Math.ceil(rounds / 10));
  return (round) => {
    if ((round + 1) % step === 0 || round + 1 === rounds) say(`${what}: ${round + 1} of ${rounds}`);
  };
}
