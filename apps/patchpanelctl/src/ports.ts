/** `patchpanelctl port`: rules are made and taken back by the API, and listed from the manager's status. */
import { Scope, seconds, type Clock } from '@pp/base';
import { errnoOf, ExitCode, Refused, table } from '@pp/daemon';
import type { Bus } from '@pp/dbus';
import type { Native } from '@pp/native';
import {
  encode,
  ModifyPortRuleRequestOperation as Operation,
  ModifyPortRuleRequestProtocol as Protocol,
  ModifyPortRuleRequestRuleType as RuleType,
} from '@pp/proto';
import { absenceOf, type InterfaceDoors } from './absent-interface';
import { callManager, withBus } from './call-manager';
import { otherWords } from './failure';
import { isObject, jsonLine, word } from './json';
import type { Hold, PortAction, PortMatch, PortRule } from './port-args';
import { statusIn } from './status';

export interface PortDoors extends InterfaceDoors {
  readonly connectBus: () => Promise<Pick<Bus, 'call' | 'close'>>;
  readonly native: Pick<Native, 'pidfdOpen' | 'watchFd' | 'closeFd'>;
  readonly clock: Pick<Clock, 'after'>;
  readonly print: (text: string) => void;
  readonly warn: (sentence: string) => void;
  readonly onSignal: (handler: (signal: NodeJS.Signals) => void) => () => void;
}

/** Returns the exit code when all is done, which with `hold` may take long. */
export async function port(action: PortAction, json: boolean, doors: PortDoors): Promise<ExitCode> {
  switch (action.what) {
    case 'list':
      doors.print(json ? jsonLine({ ports: await listed(doors) }) : rulesText(await listed(doors)));
      return ExitCode.done;
    case 'close':
      await close(action.match, json, doors);
      return ExitCode.done;
    case 'create':
      return create(action, json, doors);
  }
}

async function create(
  { rule, hold }: Extract<PortAction, { what: 'create' }>,
  json: boolean,
  doors: PortDoors,
): Promise<ExitCode> {
  const scope = new Scope();
  try {
    const end = endOf(scope, hold, doors);
    const absence = await absenceOf(rule, doors);
    const warnings = absence === null ? [] : [absence];
    await withBus(doors.connectBus, async (bus) => {
      await modify(bus, 'CREATE', rule);
      doors.print(json ? jsonLine({ ...rule, warnings }) : `${ruleText(rule)}\n`);
      for (const warning of warnings) doors.warn(warning);
      if (end === null) return;
      await end;
      await modify(bus, 'DELETE', rule).catch(ifClosedMeanwhile);
    });
    return warnings.length > 0 ? ExitCode.degraded : ExitCode.done;
  } finally {
    await scope.close();
  }
}

/** Settles when the rule shall go; null: it stays. A process that is not there is refused before anything is done. */
function endOf(scope: Scope, { forSeconds, whilePid }: Hold, doors: PortDoors): Promise<void> | null {
  if (forSeconds === null && whilePid === null) return null;
  const pidfd = whilePid === null ? null : openProcess(scope, whilePid, doors);
  return new Promise((resolve) => {
    const done = (): void => {
      resolve();
    };
    scope.defer(doors.onSignal(done));
    if (forSeconds !== null) scope.defer(doors.clock.after('port.close', seconds(forSeconds), done));
    if (pidfd === null) return;
    const watch = doors.native.watchFd(pidfd, done);
    scope.defer(() => {
      watch.close();
    });
  });
}

function openProcess(scope: Scope, pid: number, { native }: PortDoors): number {
  try {
    const fd = native.pidfdOpen(pid);
    scope.defer(() => {
      native.closeFd(fd);
    });
    return fd;
  } catch (fault) {
    if (errnoOf(fault) !== 'ESRCH') throw fault;
    throw new Refused(ExitCode.notFound, `there is no process ${pid}`, {
      advice: 'nothing was opened',
      cause: fault,
    });
  }
}

async function close(match: PortMatch, json: boolean, doors: PortDoors): Promise<void> {
  const found = (await listed(doors)).filter((rule) => isMatch(rule, match));
  if (found.length === 0) {
    throw new Refused(ExitCode.notFound, `no rule about ${match.protocol} port ${match.port} is like that`, {
      advice: 'patchpanelctl port list shows what there is',
    });
  }
  await withBus(doors.connectBus, async (bus) => {
    for (const rule of found) await modify(bus, 'DELETE', rule).catch(ifClosedMeanwhile);
  });
  doors.print(
    json ? jsonLine({ closed: found }) : found.map((rule) => `closed: ${ruleText(rule)}\n`).join(''),
  );
}

const isMatch = (rule: PortRule, { protocol, port: number, ifname, address }: PortMatch): boolean =>
  rule.protocol === protocol &&
  rule.port === number &&
  (ifname === null || rule.ifname === ifname) &&
  (address === null || rule.address === address);

/** It is closed: that is what was wanted. */
function ifClosedMeanwhile(fault: unknown): void {
  if (!(fault instanceof Refused && fault.exitCode === ExitCode.notFound)) throw fault;
}

async function modify(bus: Pick<Bus, 'call'>, op: keyof typeof Operation, rule: PortRule): Promise<void> {
  const request = encode('ModifyPortRuleRequest', {
    op: Operation[op],
    type: { access: RuleType.ACCESS, lockdown: RuleType.LOCKDOWN, forwarding: RuleType.FORWARDING }[
      rule.type
    ],
    proto: rule.protocol === 'tcp' ? Protocol.TCP : Protocol.UDP,
    inputIfname: rule.ifname,
    inputDstIp: rule.address,
    inputDstPort: rule.port,
    dstIp: rule.toAddress,
    dstPort: rule.toPort,
  });
  const { success } = await callManager(bus, 'ModifyPortRule', request, 'ModifyPortRuleResponse');
  // Other managers answer a failure so.
  if (!success)
    throw new Refused(ExitCode.failed, 'the manager did not do it and gave no reason', {
      advice: "look at the manager's log",
    });
}

/** All rules that the manager has, with their owners. */
async function listed({ status }: PortDoors): Promise<readonly PortRule[]> {
  const { ports } = statusIn(await status());
  if (Array.isArray(ports) && ports.every(isRule)) return ports;
  throw otherWords("the manager's status does not tell its port rules");
}

const isRule = (value: unknown): value is PortRule =>
  isObject(value) &&
  ['access', 'lockdown', 'forwarding'].includes(word(value['type'])) &&
  ['tcp', 'udp'].includes(word(value['protocol'])) &&
  ['ifname', 'address', 'toAddress'].every((key) => typeof value[key] === 'string') &&
  ['port', 'toPort'].every((key) => typeof value[key] === 'number');

/** "tcp port 8080 on eth0 forwarded to 100.115.92.26:80" */
export function ruleText({
  type,
  protocol,
  port: number,
  ifname,
  address,
  toAddress,
  toPort,
}: PortRule): string {
  const what = {
    access: 'open',
    lockdown: 'locked',
    forwarding: `forwarded to ${targetText(toAddress, toPort)}`,
  }[type];
  const where = `${ifname === '' ? '' : ` on ${ifname}`}${address === '' ? '' : ` at ${address}`}`;
  return `${protocol} port ${number}${where} ${what}`;
}

const targetText = (address: string, to: number): string =>
  `${address.includes(':') ? `[${address}]` : address}:${to}`;

function rulesText(rules: readonly PortRule[]): string {
  if (rules.length === 0) return 'no port is open, locked or forwarded\n';
  return table(
    ['port', 'type', 'on', 'address', 'to'],
    rules.map(({ type, protocol, port: number, ifname, address, toAddress, toPort }) => [
      `${number}/${protocol}`,
      type,
      ifname === '' ? '-' : ifname,
      address === '' ? '-' : address,
      toAddress === '' ? '-' : targetText(toAddress, toPort),
    ]),
  );
}
