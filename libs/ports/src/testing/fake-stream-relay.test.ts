import { FakeStreamRelay, targetText } from './fake-stream-relay';
import { RELAY_ROWS, type RelaySubject } from './stream-relay-contract';
import type { RelayTarget } from '../stream-relay';

const TARGETS: Readonly<Record<RelayTarget['via'], (number: number) => RelayTarget>> = {
  unix: (number) => ({ via: 'unix', path: `/run/${number}` }),
  vsock: (number) => ({ via: 'vsock', cid: number, port: 5555 }),
  tcp: (number) => ({ via: 'tcp', address: '192.0.2.1', port: number }),
};

function fakeSubject(): RelaySubject {
  const relay = new FakeStreamRelay();
  return {
    relay,
    listen: (onCaller) => {
      relay.listen({ address: '127.0.0.1', port: 1 }, { onCaller, onFault: () => undefined });
      return Promise.resolve();
    },
    dial: () => relay.dial('127.0.0.1:1'),
    serve: (via, onEnd) => {
      const target = TARGETS[via](1);
      relay.targets.set(targetText(target), { accepts: onEnd });
      return Promise.resolve(target);
    },
    nobody: (via) => Promise.resolve(TARGETS[via](2)),
    until: async (what, holds) => {
      for (let turn = 0; turn < 100 && !holds(); turn++) await Promise.resolve();
      if (!holds()) throw new Error(`never came true: ${what}`);
    },
  };
}

test.each(RELAY_ROWS)('$name', ({ run }) => run(fakeSubject()));

test('a place that is taken is refused', () => {
  const relay = new FakeStreamRelay();
  const listen = () =>
    relay.listen({ address: '::1', port: 5 }, { onCaller: () => undefined, onFault: () => undefined });
  const first = listen();
  expect(listen).toThrow('EADDRINUSE');
  first.close();
  expect(() => {
    listen().close();
  }).not.toThrow();
});
