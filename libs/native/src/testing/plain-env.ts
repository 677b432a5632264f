/** The environment for a child whose output is compared: node colours numbers, and warns of it, when a runner forces colours. */
export function plainEnv(): NodeJS.ProcessEnv {
  return { ...process.env, FORCE_COLOR: undefined, NO_COLOR: undefined };
}
