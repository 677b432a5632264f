import { ExitCode, Refused } from '@pp/daemon';
import type { ManagerFacts } from './facts';
import { list, objectIn, objects, word } from './json';

/** What of the manager's status is looked at. Throws Refused where it is no status. */
export function managerFacts(text: string): ManagerFacts {
  const status = objectIn(text);
  if (status === null) throw new Refused(ExitCode.failed, "the manager's status is not a JSON object");
  return {
    version: word(status['version']),
    ready: status['ready'] === true,
    uplinks: objects(status['uplinks'])
      .filter(({ state }) => state !== 'awaited')
      .map((uplink) => ({ ifname: word(uplink['ifname']), default: uplink['default'] === true })),
    helpers: objects(status['helpers']).map(({ name, state }) => ({ name: word(name), state: word(state) })),
    warnings: list(status['warnings']).filter((sentence) => typeof sentence === 'string'),
  };
}
