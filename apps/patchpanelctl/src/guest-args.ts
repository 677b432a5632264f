import { accept, refuse, type Checked } from '@pp/base';
import type { RawArgs } from '@pp/daemon';
import type { Command } from 'commander';
import { checkedPid } from './pid';

/** A call that starts or stops a guest. */
export interface GuestCall {
  readonly what: 'start' | 'stop';
  readonly guest: 'termina' | 'plugin' | 'arcvm' | 'arc';
  /** vsock cid, id of a plugin VM, or pid; a container is stopped without one by 0. */
  readonly id: bigint;
  /** Of a plugin VM that starts; 0: any. */
  readonly subnetIndex: number;
}

const VM_KINDS = ['termina', 'plugin', 'arcvm'] as const;
const MAX_ID = { termina: 2n ** 32n - 1n, arcvm: 2n ** 32n - 1n, plugin: 2n ** 64n - 1n } as const;
const MAX_SUBNET_INDEX = 2 ** 31 - 1;

const VM_NOTES = `
The manager makes a TAP for the VM and says its name and addresses; the caller's uid owns it (see --tap-owner of the manager).

Examples:
  patchpanelctl vm start termina --id 33
  patchpanelctl vm start plugin --id 7 --subnet-index 1 --json
  patchpanelctl vm stop arcvm --id 3`;

const ARC_NOTES = `
The container's network namespace gets arc0 and a device for each uplink. Stopping needs no process: there is one container.

Examples:
  patchpanelctl arc start --pid 4242
  patchpanelctl arc stop`;

export const vmOptions = (command: Command): Command =>
  command
    .description('start or stop the network of a VM')
    .usage(`start|stop ${VM_KINDS.join('|')} --id N [options]`)
    .argument('[words...]')
    .option('--id <N>', "the VM's vsock cid; of a plugin VM its id")
    .option('--subnet-index <N>', 'start plugin: this subnet of the pool, from 1; default: any')
    .option('--json', 'print the answer as one JSON object')
    .addHelpText('after', VM_NOTES);

export const arcOptions = (command: Command): Command =>
  command
    .description('start or stop the network of the Android container')
    .usage('start --pid N | stop [--pid N]')
    .argument('[words...]')
    .option('--pid <N>', "the container's init")
    .option('--json', 'print the answer as one JSON object')
    .addHelpText('after', ARC_NOTES);

/** `vm start termina --id 33` */
export function vmCall(raw: RawArgs): Checked<GuestCall> {
  const [action = '', name = '', stray] = raw.operands;
  const what = actionOf('vm', action);
  if (!what.ok) return what;
  const guest = VM_KINDS.find((kind) => kind === name);
  if (guest === undefined)
    return refuse(
      'InvalidArgument',
      `${name === '' ? 'no kind of VM is named' : `'${name}' is no kind of VM`}; write ${VM_KINDS.join(', ')}`,
    );
  if (stray !== undefined)
    return refuse('InvalidArgument', `vm takes no argument '${stray}'; name the VM by --id N`);
  const id = checkedId(raw.one('id'), MAX_ID[guest]);
  if (!id.ok) return id;
  const subnetIndex = checkedSubnetIndex(raw.one('subnet-index'), `${what.value} ${guest}`);
  return subnetIndex.ok
    ? accept({ what: what.value, guest, id: id.value, subnetIndex: subnetIndex.value })
    : subnetIndex;
}

/** `arc start --pid 4242` */
export function arcCall(raw: RawArgs): Checked<GuestCall> {
  const [action = '', stray] = raw.operands;
  const what = actionOf('arc', action);
  if (!what.ok) return what;
  if (stray !== undefined)
    return refuse('InvalidArgument', `arc takes no argument '${stray}'; name the container by --pid N`);
  const text = raw.one('pid');
  if (text === undefined && what.value === 'start')
    return refuse('InvalidArgument', 'no container; write --pid N with the pid of its init');
  const pid = text === undefined ? accept(0) : checkedPid('pid', text);
  return pid.ok ? accept({ what: what.value, guest: 'arc', id: BigInt(pid.value), subnetIndex: 0 }) : pid;
}

const actionOf = (command: string, word: string): Checked<GuestCall['what']> =>
  word === 'start' || word === 'stop'
    ? accept(word)
    : refuse(
        'InvalidArgument',
        `${command} ${word === '' ? 'what' : `'${word}'`}? write ${command} start or ${command} stop; see patchpanelctl ${command} --help`,
      );

function checkedId(text: string | undefined, max: bigint): Checked<bigint> {
  if (text === undefined) return refuse('InvalidArgument', 'no VM; write --id N');
  const id = /^\d{1,20}$/.test(text) ? BigInt(text) : 0n;
  if (id >= 1n && id <= max) return accept(id);
  return refuse('InvalidArgument', `--id '${text}' names no VM; write a number from 1 to ${max}`);
}

function checkedSubnetIndex(text: string | undefined, command: string): Checked<number> {
  if (text === undefined) return accept(0);
  if (command !== 'start plugin')
    return refuse('InvalidArgument', `--subnet-index is for vm start plugin only; leave it out`);
  const index = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  if (index >= 1 && index <= MAX_SUBNET_INDEX) return accept(index);
  return refuse(
    'InvalidArgument',
    `--subnet-index '${text}' is none; write a number from 1, or leave it out for any`,
  );
}
