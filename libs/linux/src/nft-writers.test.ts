import { NftWriters } from './nft-writers';

const SOCKET = 4_000_000_001;

function writers(): NftWriters {
  const made = new NftWriters();
  made.socketOpened(SOCKET);
  return made;
}

test('our own socket commits as often as it likes, a run of nft once', () => {
  const ours = writers();
  ours.nftStarted(100);
  ours.nftEnded(100, true);
  expect([SOCKET, SOCKET, 100, 100, 101].map((port) => ours.committed(port))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
});

test("a run that was refused is forgotten at once: its number may become somebody else's", () => {
  const ours = writers();
  ours.nftStarted(100);
  ours.nftEnded(100, false);
  expect(ours.committed(100)).toBe(false);
});

test('of runs that ended before anybody listened nothing will be told', () => {
  const ours = writers();
  ours.nftStarted(100);
  ours.nftEnded(100, true);
  ours.nftStarted(101);
  ours.listening();
  expect([ours.committed(100), ours.committed(101)]).toEqual([false, true]);
});

test('so many runs are remembered and no more', () => {
  const ours = writers();
  for (let pid = 1; pid <= 9; pid++) ours.nftStarted(pid);
  expect([ours.committed(1), ours.committed(2), ours.committed(9)]).toEqual([false, true, true]);
});
