import { closeSync, readdirSync, readlinkSync } from 'node:fs';
import { checkLeaks, codeOf, native, testInNetns, until } from './testing/harness';
import { attribute, IFLA, linkRequest, messages, newVeth, NLM, NLMSG, RTM } from './testing/rtnetlink';

let netns = -1;

checkLeaks(() => {
  closeSync(netns);
});
beforeEach(() => {
  netns = native.createNetns();
});

interface Told {
  readonly answers: Uint8Array[];
  readonly errors: string[];
}

async function visit(datagram: Uint8Array, netnsFd = netns): Promise<Told> {
  const told: Told = { answers: [], errors: [] };
  native.visitNetlink({
    family: 'route',
    netnsFd,
    datagram,
    onAnswer: (answer) => told.answers.push(answer),
    onError: ({ code, call }) => told.errors.push(`${code} ${call}`),
  });
  await until('an answer', () => told.answers.length + told.errors.length > 0);
  return told;
}

const lookAt = (ifindex: number, sequence: number): Uint8Array =>
  linkRequest(RTM.getLink, NLM.ack, sequence, [], ifindex);

testInNetns('many requests in one datagram, all answers at once, from the namespace visited', async () => {
  const { answers, errors } = await visit(
    Buffer.concat([newVeth('there0', 1, 7), lookAt(1, 2), linkRequest(RTM.delLink, NLM.ack, 3, [], 9999)]),
  );
  expect(errors).toEqual([]);
  expect(answers).toHaveLength(1);
  expect(
    messages(answers[0] ?? new Uint8Array()).map(({ type, sequence, errno }) => [sequence, type, errno]),
  ).toEqual([
    [1, NLMSG.error, 0],
    [2, RTM.newLink, 0],
    [2, NLMSG.error, 0],
    [3, NLMSG.error, 19], // ENODEV
  ]);
  const { answers: again } = await visit(newVeth('there0', 4, 7));
  expect(messages(again[0] ?? new Uint8Array())[0]?.errno).toBe(17); // EEXIST: it is there, and nowhere else
  expect(native.runInNetns(netns, () => readdirSync('/proc/thread-self/net/dev_snmp6'))).toContain('there0');
});

testInNetns('refusals carry an extended ack, without the request', async () => {
  const request = linkRequest(RTM.newLink, NLM.ack | NLM.create, 6, [
    attribute(IFLA.ifname, new Uint8Array(64)),
  ]);
  const { answers } = await visit(request);
  const [refusal] = messages(answers[0] ?? new Uint8Array());
  expect([refusal?.errno, (refusal?.flags ?? 0) & 0x200]).toEqual([34, 0x200]); // ERANGE, NLM_F_ACK_TLVS
});

testInNetns('a request that wants no answer has an empty one', async () => {
  const { answers } = await visit(linkRequest(RTM.newLink, 0, 5, [], 1));
  expect(answers).toEqual([new Uint8Array()]);
});

testInNetns('answers that are too long are an error', async () => {
  const many = Buffer.concat(Array.from({ length: 120 }, (_, i) => lookAt(1, i + 1)));
  const { answers, errors } = await visit(many);
  expect([answers, errors]).toEqual([[], ['EMSGSIZE recv netlink']]);
});

testInNetns('what is no namespace is an error', async () => {
  const nothing = (): void => undefined;
  const visitOf = { family: 'route', netnsFd: -1, datagram: lookAt(1, 1) } as const;
  expect(
    codeOf(() => {
      native.visitNetlink({ ...visitOf, onAnswer: nothing, onError: nothing });
    }),
  ).toBe('EBADF');
  const [pipe, other] = native.pipe();
  const { errors } = await visit(lookAt(1, 1), pipe);
  native.closeFd(pipe);
  native.closeFd(other);
  expect(errors).toEqual(['EINVAL setns']);
});

testInNetns('the caller may close its descriptor at once, and every thread comes back', async () => {
  const visits = Array.from({ length: 20 }, async () => {
    const fd = native.createNetns();
    const told = visit(lookAt(1, 1), fd);
    native.closeFd(fd);
    return told;
  });
  for (const { answers } of await Promise.all(visits)) expect(answers).toHaveLength(1);
  const own = readlinkSync('/proc/self/ns/net');
  const threads = readdirSync('/proc/self/task').map((id) => readlinkSync(`/proc/self/task/${id}/ns/net`));
  expect(new Set(threads)).toEqual(new Set([own]));
});
