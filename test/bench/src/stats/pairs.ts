import { interleave } from './interleave';

/** A thing that is done and undone, each in the milliseconds that it gives; `round` counts from 0. */
export interface TwoWays {
  up(round: number): Promise<number>;
  down(round: number): Promise<number>;
}

interface Both {
  readonly ours: readonly number[];
  readonly peer: readonly number[];
}

/** Milliseconds by round: samples of the same index are a pair. */
export interface Pairs {
  readonly up: Both;
  readonly down: Both;
}

/** Ours beside one peer, by turns, as `interleave` has it. */
export async function pairsOf(
  rounds: number,
  ours: TwoWays,
  peer: TwoWays,
  onRound: (round: number) => void,
): Promise<Pairs> {
  const down = { ours: [] as number[], peer: [] as number[] };
  const timed =
    (ways: TwoWays, downs: number[]) =>
    async (round: number): Promise<number> => {
      const took = await ways.up(round);
      downs.push(await ways.down(round));
      return took;
    };
  const contenders = { ours: timed(ours, down.ours), peer: timed(peer, down.peer) };
  return { up: await interleave(rounds, contenders, onRound), down };
}
