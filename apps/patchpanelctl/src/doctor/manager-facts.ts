import { ExitCode, Refused } from '@pp/daemon';
import type { ManagerFacts } from './facts';
import { isObject, type Statement } from './ruleset';

/** What of the manager's status is looked at. Throws Refused where it is no status. */
export function managerFacts(text: string): ManagerFacts {
  const status = objectIn(text);
  return {
    version: word(status, 'version'),
    ready: status['ready'] === true,
    uplinks: objects(status, 'uplinks')
      .filter((uplink) => word(uplink, 'state') !== 'awaited')
      .map((uplink) => ({ ifname: word(uplink, 'ifname'), default: uplink['default'] === true })),
    helpers: objects(status, 'helpers').map((helper) => ({
      name: word(helper, 'name'),
      state: word(helper, 'state'),
    })),
    warnings: list(status, 'warnings').filter((sentence) => typeof sentence === 'string'),
  };
}

function objectIn(text: string): Statement {
  try {
    const value = JSON.parse(text) as unknown;
    if (isObject(value)) return value;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
  }
  throw new Refused(ExitCode.failed, "the manager's status is not a JSON object");
}

function word(of: Statement, key: string): string {
  const value = of[key];
  return typeof value === 'string' ? value : '';
}

function list(of: Statement, key: string): readonly unknown[] {
  const value = of[key];
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

const objects = (of: Statement, key: string): readonly Statement[] => list(of, key).filter(isObject);
