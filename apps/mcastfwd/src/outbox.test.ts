import { KernelError } from '@pp/base';
import type { GroupPort } from '@pp/ports';
import { groupsOf, type Group } from './core/group';
import { Outbox } from './outbox';

const [mdns, mdns6] = groupsOf(['mdns']);

/** An outbox with ports on interfaces 1 and 2; what it does, in words. */
function subject(): { readonly outbox: Outbox; readonly log: string[] } {
  const log: string[] = [];
  const portOn = (group: Group, ifindex: number): GroupPort => ({
    send: (payloads) => {
      log.push(`${group.family} to ${ifindex}: ${payloads.map((each) => each.join()).join(' ')}`);
      return ifindex === 2 ? [new KernelError('EPERM', 'send')] : [];
    },
    answer: () => undefined,
    close: () => undefined,
  });
  const outbox = new Outbox({
    portOf: (group, ifindex) => (ifindex <= 2 ? portOn(group, ifindex) : undefined),
    onSent: (group, sent, refused) => {
      log.push(`${group.family} sent ${sent}, refused ${refused.map(({ code }) => code).join()}`);
    },
  });
  return { outbox, log };
}

const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

test('each interface gets what is for it in order, by one send; what is gone gets nothing', () => {
  if (mdns === undefined) throw new Error('no groups');
  const { outbox, log } = subject();
  for (const [ifindex, value] of [
    [1, 10],
    [2, 10],
    [3, 10],
    [1, 11],
    [2, 12],
  ] as const)
    outbox.add(mdns, ifindex, bytes(value));
  expect(log).toEqual([]);
  outbox.flush();
  outbox.flush();
  expect(log).toEqual([
    'ipv4 to 1: 10 11',
    'ipv4 sent 2, refused ',
    'ipv4 to 2: 10 12',
    'ipv4 sent 1, refused EPERM',
  ]);
});

test('what is for another group does not overtake', () => {
  if (mdns === undefined || mdns6 === undefined) throw new Error('no groups');
  const { outbox, log } = subject();
  outbox.add(mdns, 1, bytes(1));
  outbox.add(mdns6, 1, bytes(2));
  outbox.add(mdns, 1, bytes(3));
  outbox.flush();
  expect(log.filter((line) => line.includes('to'))).toEqual(['ipv4 to 1: 1', 'ipv6 to 1: 2', 'ipv4 to 1: 3']);
});
