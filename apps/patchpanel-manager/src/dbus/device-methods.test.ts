import { accept } from '@pp/base';
import { decodeStrict } from '@pp/proto';
import { devicesOf, type Device } from '../domain/devices';
import { vm, worldOf } from '../testing/worlds';
import { deviceMethods } from './device-methods';

const call = (...body: number[]) => ({
  caller: accept({ uid: 0, pid: 5 }),
  body: Uint8Array.of(...body),
  takeFd: () => null,
});

test('GetDevices looks as its answer is sent, not before', async () => {
  let devices: readonly Device[] = devicesOf(worldOf([], [vm('termina', 'vmtap0')]));
  const answer = await deviceMethods(() => devices).GetDevices(call());
  devices = [];
  if (!answer.ok) throw new Error(answer.sentence);
  expect(decodeStrict('GetDevicesResponse', answer.value())).toEqual(accept({ devices: [] }));
});

test('a body that is no request is refused', async () => {
  const answer = await deviceMethods(() => []).GetDevices(call(0xff));
  expect(answer).toMatchObject({ ok: false, reason: 'InvalidArgument' });
});
