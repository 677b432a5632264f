import type { ManagerFacts } from './facts';
import { list, objects, word } from '../json';
import { statusIn } from '../status';

/** What of the manager's status is looked at. Throws Refused where it is no status. */
export function managerFacts(text: string): ManagerFacts {
  const status = statusIn(text);
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
