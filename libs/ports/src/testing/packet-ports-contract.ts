import { KernelError } from '@pp/base';
import { bpf, VIRTIO_NET_HEADER } from '@pp/wire';
import type { PacketPort, PacketPortOptions, PacketPorts } from '../packet-port';

/** Two interfaces of one segment, `near` with the Ethernet address NEAR, and one that is not there. */
export interface PacketPortsSubject {
  readonly ports: PacketPorts;
  readonly near: number;
  readonly far: number;
  readonly gone: number;
}

export const NEAR = Uint8Array.of(2, 0, 0, 0, 0, 1);
export const FAR = Uint8Array.of(2, 0, 0, 0, 0, 2);
const OTHER = Uint8Array.of(2, 0, 0, 0, 0, 3);
const GROUP = Uint8Array.of(0x33, 0x33, 0xff, 1, 2, 3);

/** IPv6 with no next header, so that nobody answers; the last byte is a mark. */
export function markedFrame(to: Uint8Array, mark: number, from = FAR): Uint8Array {
  const frame = new Uint8Array(14 + 40 + 8);
  frame.set(to);
  frame.set(from, 6);
  frame.set([0x86, 0xdd, 0x60, 0, 0, 0, 0, 8, 59, 255], 12);
  frame.set([0x20, 1, 0xd, 0xb8], 22);
  frame.set([0x20, 1, 0xd, 0xb8], 38);
  frame[frame.length - 1] = mark;
  return frame;
}

const MARK_AT = 14 + 40 + 7;
const END = 0xee;
/** Frames for other stations are left out, and those that this host sends. */
const MARKED = bpf.assembleBpf([
  bpf.load('ldB', bpf.Ancillary.packetType),
  bpf.jump('jge', 3, { then: 'drop' }),
  bpf.load('ldB', 20),
  bpf.jump('jeq', 59, { else: 'drop' }),
  bpf.accept(0xffff),
  bpf.label('drop'),
  bpf.accept(0),
]);

/** A port that notes the marks of what it hears, and ends when it hears END. */
function listen(
  { ports, near }: PacketPortsSubject,
  more: Partial<PacketPortOptions> = {},
): { readonly port: PacketPort; readonly heard: number[]; readonly ended: Promise<void> } {
  const heard: number[] = [];
  const at = MARK_AT + (more.frames === 'ipv6' ? VIRTIO_NET_HEADER : 0);
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const port = ports.open({
    ifindex: near,
    filter: MARKED,
    onFrame: (frame) => {
      const mark = frame[at] ?? -1;
      if (mark === END) end();
      else heard.push(mark);
    },
    onBatchEnd: () => undefined,
    onFault: () => undefined,
    ...more,
  });
  return { port, heard, ended };
}

interface Row {
  readonly name: string;
  readonly run: (subject: PacketPortsSubject) => Promise<unknown>;
  readonly want: unknown;
}

/** What `listen` with these options hears of the frames, and then END. */
async function heardOf(
  subject: PacketPortsSubject,
  frames: readonly Uint8Array[],
  more: Partial<PacketPortOptions> = {},
): Promise<readonly number[]> {
  const { port, heard, ended } = listen(subject, more);
  const far = listen({ ...subject, near: subject.far });
  far.port.send([...frames, markedFrame(GROUP, END)]);
  await ended;
  port.close();
  far.port.close();
  return heard;
}

const codeOf = (call: () => unknown): string => {
  try {
    call();
    return 'no fault';
  } catch (fault) {
    return fault instanceof KernelError ? fault.code : String(fault);
  }
};

/** What every PacketPorts does. */
export const PACKET_PORTS_ROWS: readonly Row[] = [
  {
    name: 'frames to the station and to any group are heard, in order; those to others are not',
    run: (s) =>
      heardOf(s, [markedFrame(NEAR, 1), markedFrame(OTHER, 2), markedFrame(GROUP, 3), markedFrame(NEAR, 4)]),
    want: [1, 3, 4],
  },
  {
    name: 'what the filter drops is not heard',
    run: (s) =>
      heardOf(s, [
        Uint8Array.from(markedFrame(NEAR, 1), (byte, i) => (i === 20 ? 17 : byte)),
        markedFrame(NEAR, 2),
      ]),
    want: [2],
  },
  {
    name: 'all IPv6, each frame behind what its sender left to hardware',
    run: (s) => heardOf(s, [markedFrame(NEAR, 1), markedFrame(GROUP, 2)], { frames: 'ipv6' }),
    want: [1, 2],
  },
  {
    name: 'a frame that is sent is heard by the other, not by its sender',
    run: async (s) => {
      const [near, far] = [listen(s), listen({ ...s, near: s.far })];
      const taken = near.port.send([markedFrame(GROUP, 1, NEAR), markedFrame(GROUP, END, NEAR)]);
      await far.ended;
      far.port.send([markedFrame(GROUP, END)]);
      await near.ended;
      near.port.close();
      far.port.close();
      return { taken, near: near.heard, far: far.heard };
    },
    want: { taken: 2, near: [], far: [1] },
  },
  {
    name: 'ports that answer each other at once, many times, hear all of it',
    run: async (s) => {
      const marks: number[] = [];
      let end: () => void = () => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      const answering = (port: () => PacketPort): Pick<PacketPortOptions, 'onFrame'> => ({
        onFrame: (frame) => {
          const mark = frame[MARK_AT] ?? -1;
          marks.push(mark);
          if (mark === 50) end();
          else port().send([markedFrame(GROUP, mark + 1, OTHER)]);
        },
      });
      const near = listen(
        s,
        answering(() => near.port),
      );
      const far = listen(
        { ...s, near: s.far },
        answering(() => far.port),
      );
      near.port.send([markedFrame(GROUP, 1, OTHER)]);
      await ended;
      near.port.close();
      far.port.close();
      return marks;
    },
    want: Array.from({ length: 50 }, (_, i) => i + 1),
  },
  {
    name: 'a frame that is sent behind a header is heard without it',
    run: async (s) => {
      const [near, far] = [listen(s, { frames: 'ipv6' }), listen({ ...s, near: s.far })];
      const header = new Uint8Array(VIRTIO_NET_HEADER);
      for (const mark of [7, END])
        near.port.send([Uint8Array.of(...header, ...markedFrame(FAR, mark, NEAR))]);
      await far.ended;
      near.port.close();
      far.port.close();
      return far.heard;
    },
    want: [7],
  },
  {
    name: 'a frame that is too long is refused, and ends what is sent with it',
    run: async (s) => {
      const [near, far] = [listen(s), listen({ ...s, near: s.far })];
      const long = new Uint8Array(1600);
      const seen = [
        near.port.send([markedFrame(FAR, 1, NEAR), long, markedFrame(FAR, 2, NEAR)]),
        codeOf(() => near.port.send([long, markedFrame(FAR, 3, NEAR)])),
        near.port.send([markedFrame(FAR, END, NEAR)]),
      ];
      await far.ended;
      near.port.close();
      far.port.close();
      return [...seen, far.heard];
    },
    want: [1, 'EMSGSIZE', 1, [1]],
  },
  {
    name: 'an interface that is gone is ENODEV',
    run: (s) => Promise.resolve(codeOf(() => listen({ ...s, near: s.gone }))),
    want: 'ENODEV',
  },
  {
    name: 'a closed port does not send, misses nothing, and may be closed again',
    run: (s) => {
      const { port } = listen(s);
      port.close();
      port.close();
      return Promise.resolve([codeOf(() => port.send([markedFrame(GROUP, 1, NEAR)])), port.missed()]);
    },
    want: ['EBADF', 0],
  },
];
