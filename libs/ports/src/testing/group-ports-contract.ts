import type { KernelError } from '@pp/base';
import type { GroupDatagram, GroupPorts } from '../group-ports';

/** A link with this host at one end and a neighbour at the other, for the rows of the contract. */
export interface GroupSubject {
  readonly ports: GroupPorts;
  readonly ifname: string;
  readonly ifindex: number;
  /** Of this host and of the neighbour on the link; IPv4. */
  readonly own: string;
  readonly neighbor: string;
  /** The neighbour sends to the group, or to this host alone, from its port 5353. */
  say(text: string, to: 'group' | number): void;
  /** "ADDRESS:PORT text" of all that the neighbour has heard: to the group, and to its port 5353. */
  heard(): readonly string[];
  /** Until the condition is true. */
  until(condition: () => boolean): Promise<void>;
}

export const CONTRACT_GROUP = { address: '224.0.0.251', port: 5353 } as const;

export interface GroupRow {
  readonly name: string;
  readonly run: (subject: GroupSubject) => Promise<{ readonly seen: unknown; readonly want: unknown }>;
}

const text = ({ data }: GroupDatagram): string => String.fromCharCode(...data);
const bytes = (words: string): Uint8Array => Uint8Array.from(words, (each) => each.charCodeAt(0));

function open({ ports, ifname, ifindex }: GroupSubject, heard: GroupDatagram[] = []) {
  return ports.openGroup({
    family: 'ipv4',
    group: CONTRACT_GROUP.address,
    port: CONTRACT_GROUP.port,
    ifname,
    ifindex,
    hopLimit: 255,
    onDatagrams: (batch) => {
      heard.push(...batch.map((each) => ({ ...each, data: each.data.slice() })));
    },
    onFault: (fault) => {
      throw fault;
    },
  });
}

function codeOf(call: () => unknown): string {
  try {
    call();
    return 'done';
  } catch (fault) {
    return (fault as KernelError).code;
  }
}

/** What holds of every GroupPorts. */
export const GROUP_ROWS: readonly GroupRow[] = [
  {
    name: 'what is said to the group is heard, with sender and interface; what is said to this host alone is not',
    run: async (subject) => {
      const heard: GroupDatagram[] = [];
      const port = open(subject, heard);
      subject.say('alone', CONTRACT_GROUP.port);
      subject.say('all', 'group');
      await subject.until(() => heard.length > 0);
      port.close();
      const { neighbor: address, ifindex } = subject;
      return {
        seen: heard.map((each) => [text(each), each.address, each.port, each.ifindex]),
        want: [['all', address, CONTRACT_GROUP.port, ifindex]],
      };
    },
  },
  {
    name: 'what is sent comes from the group’s port, to the group or to one alone, and is not heard here',
    run: async (subject) => {
      const heard: GroupDatagram[] = [];
      const port = open(subject, heard);
      const refused = subject.ports.sender([port]).send([bytes('all'), bytes('more')]);
      port.answer(bytes('you'), subject.neighbor, CONTRACT_GROUP.port);
      await subject.until(() => subject.heard().length === 3);
      port.close();
      const from = `${subject.own}:${CONTRACT_GROUP.port}`;
      const want = [[`${from} all`, `${from} more`, `${from} you`], [], []];
      return { seen: [subject.heard(), heard, refused], want };
    },
  },
  {
    name: 'a question goes out from a port of its own, and answers come to it',
    run: async (subject) => {
      const heard: GroupDatagram[] = [];
      const options = { family: 'ipv4', hopLimit: 2, onFault: () => undefined } as const;
      const port = subject.ports.openSearch({ ...options, onDatagrams: (batch) => heard.push(...batch) });
      port.send(bytes('who'), subject.ifindex, CONTRACT_GROUP.address, CONTRACT_GROUP.port);
      await subject.until(() => subject.heard().length === 1);
      subject.say('me', port.port);
      await subject.until(() => heard.length === 1);
      port.close();
      return {
        seen: [subject.heard(), heard.map((each) => [text(each), each.address, each.ifindex])],
        want: [[`${subject.own}:${port.port} who`], [['me', subject.neighbor, subject.ifindex]]],
      };
    },
  },
  {
    name: 'a closed port sends nothing, and an interface that is not there cannot be opened',
    run: (subject) => {
      const port = open(subject);
      const sender = subject.ports.sender([port]);
      port.close();
      port.close();
      const seen = [
        codeOf(() => sender.send([bytes('x')])),
        codeOf(() => {
          port.answer(bytes('x'), subject.neighbor, CONTRACT_GROUP.port);
        }),
        codeOf(() => open({ ...subject, ifname: 'nowhere', ifindex: 9999 })),
      ];
      return Promise.resolve({ seen, want: ['EBADF', 'EBADF', 'ENODEV'] });
    },
  },
];
