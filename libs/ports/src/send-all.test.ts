import { KernelError, type Errno } from '@pp/base';
import { sendAll } from './send-all';

/** What the kernel does with a frame of this number. */
type Kernel = readonly (Errno | 'full' | 'taken')[];

/** As PacketPort.send: what is behind a frame that is refused or has no room is not looked at. */
function send(kernel: Kernel, frames: readonly Uint8Array[], sent: number[]): number {
  for (const [index, frame] of frames.entries()) {
    const number = frame[0] ?? 0;
    const what = kernel[number] ?? 'taken';
    if (what !== 'taken' && what !== 'full' && index === 0) throw new KernelError(what, 'send');
    if (what !== 'taken') return index;
    sent.push(number);
  }
  return frames.length;
}

const rows: readonly {
  name: string;
  in: Kernel;
  want: readonly [failed: number, sent: readonly number[]];
}[] = [
  { name: 'all are taken', in: ['taken', 'taken'], want: [0, [0, 1]] },
  { name: 'nothing is to be sent', in: [], want: [0, []] },
  { name: 'the first is refused', in: ['ENOKEY', 'taken', 'taken'], want: [1, [1, 2]] },
  { name: 'one in the midst is refused', in: ['taken', 'EDESTADDRREQ', 'taken'], want: [1, [0, 2]] },
  { name: 'the last is too long', in: ['taken', 'EMSGSIZE'], want: [1, [0]] },
  { name: 'a firewall refuses all', in: ['EPERM', 'EPERM', 'EPERM'], want: [3, []] },
  { name: 'the queue is full', in: ['taken', 'full', 'taken'], want: [2, [0]] },
  { name: 'the interface is down', in: ['taken', 'ENETDOWN', 'taken'], want: [2, [0]] },
];

test.each(rows)('$name', ({ in: kernel, want }) => {
  const sent: number[] = [];
  const frames = kernel.map((_, number) => Uint8Array.of(number));
  const failed = sendAll({ send: (some) => send(kernel, some, sent) }, frames);
  expect([failed, sent]).toEqual(want);
});

test('what is no fault of the kernel is not caught', () => {
  const broken = {
    send: () => {
      throw new TypeError('broken');
    },
  };
  expect(() => sendAll(broken, [new Uint8Array(1)])).toThrow('broken');
});
