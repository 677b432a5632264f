/** Park and Miller: the same walk for the same seed. */
export function dice(seed: number): (sides: number) => number {
  let state = seed % 2_147_483_647 || 1;
  return (sides) => (state = (state * 48_271) % 2_147_483_647) % sides;
}

/** Refusals are part of a walk: of what is there already, of what is not, of exhausted pools. */
export const allowed = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (fault: unknown) => {
      const { name, message } = fault as Error;
      if (/\.(AlreadyExists|NotFound|ResourceExhausted)$/.test(name)) return name.replace(/^.*\./, '');
      throw new Error(message);
    },
  );
