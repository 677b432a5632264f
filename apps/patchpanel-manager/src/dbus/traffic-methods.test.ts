import { accept } from '@pp/base';
import { DBusError, type CallRequest } from '@pp/dbus';
import { encode } from '@pp/proto';
import { trafficMethods } from './traffic-methods';

type Answer = { readonly signature: string; readonly body: readonly unknown[] } | Error;

/** What the method makes of the answer of counters, and what counters were asked. */
async function asked(body: Uint8Array, answer: Answer): Promise<{ got: unknown; calls: CallRequest[] }> {
  const calls: CallRequest[] = [];
  const { GetTrafficCounters } = trafficMethods({
    call: (request) => {
      calls.push(request);
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve({ ...answer, body: [...answer.body], fds: [] });
    },
  });
  const got = await GetTrafficCounters({ caller: accept({ uid: 0, pid: 1 }), body, takeFd: () => null });
  return { got, calls };
}

const REQUEST = encode('TrafficCountersRequest', { devices: ['eth0'] });
const BUS = 'org.freedesktop.DBus.Error';

test('request and answer are passed on as they are', async () => {
  const { got, calls } = await asked(REQUEST, { signature: 'ay', body: [Uint8Array.of(1, 2)] });
  expect(got).toEqual({ ok: true, value: Uint8Array.of(1, 2) });
  expect(calls).toMatchObject([
    { destination: 'org.chromium.PatchPanel.Counters', member: 'GetTrafficCounters', body: [REQUEST] },
  ]);
});

test('a body that is no request never leaves', async () => {
  const { got, calls } = await asked(Uint8Array.of(0x08, 0x01), new Error('unused'));
  expect([got, calls]).toMatchObject([{ ok: false, reason: 'InvalidArgument' }, []]);
});

test.each([
  { name: 'ServiceUnknown', want: 'nobody counts traffic: the service counters is not running; start it' },
  { name: 'NameHasNoOwner', want: 'nobody counts traffic: the service counters is not running; start it' },
  { name: 'NoReply', want: 'counters refused: too late' },
])('$name is one sentence', async ({ name, want }) => {
  const { got } = await asked(REQUEST, new DBusError(`${BUS}.${name}`, 'too late'));
  expect(got).toEqual({ ok: false, reason: 'Failed', sentence: want });
});

test('an answer of other types is refused', async () => {
  const { got } = await asked(REQUEST, { signature: 's', body: ['hello'] });
  expect(got).toMatchObject({ ok: false, reason: 'Failed' });
});
