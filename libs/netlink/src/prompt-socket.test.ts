import { PromptSocket, type TwoWaySocket } from './prompt-socket';

/** Notes by which way datagrams go; the kernel takes as long as `tookUs` says. */
class NotedSocket implements TwoWaySocket {
  readonly portId = 7;
  readonly noted: string[] = [];
  tookUs = 30;

  send(datagram: Uint8Array): void {
    this.noted.push(`thread ${datagram.length}`);
  }

  sendHere(datagram: Uint8Array): number {
    this.noted.push(`here ${datagram.length}`);
    return this.tookUs;
  }

  join(group: number): void {
    this.noted.push(`join ${group}`);
  }

  close(): void {
    this.noted.push('close');
  }
}

function waysOf(lengths: readonly number[], tookUs = 30): readonly string[] {
  const noted = new NotedSocket();
  noted.tookUs = tookUs;
  const socket = new PromptSocket(noted);
  for (const length of lengths) socket.send(new Uint8Array(length));
  return noted.noted;
}

const rows = [
  { name: 'short ones go from here', in: waysOf([20, 4096, 20]), want: ['here 20', 'here 4096', 'here 20'] },
  { name: 'a long one goes by the thread', in: waysOf([4097, 20]), want: ['thread 4097', 'here 20'] },
  { name: 'after a wait of a millisecond the same', in: waysOf([1, 2], 1000), want: ['here 1', 'here 2'] },
  { name: 'after a longer one by the thread', in: waysOf([1, 2], 1001), want: ['here 1', 'thread 2'] },
  {
    name: 'and 64 of them later from here again',
    in: waysOf(Array(67).fill(8), 1001),
    want: ['here 8', ...Array<string>(64).fill('thread 8'), 'here 8', 'thread 8'],
  },
];

test.each(rows)('$name', ({ in: ways, want }) => {
  expect(ways).toEqual(want);
});

test('the rest is the socket’s own', () => {
  const noted = new NotedSocket();
  const socket = new PromptSocket(noted);
  socket.join(3);
  socket.close();
  expect([socket.portId, ...noted.noted]).toEqual([7, 'join 3', 'close']);
});
