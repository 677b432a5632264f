import { Refused } from '@pp/daemon';
import { DBusError } from '@pp/dbus';
import { meaningOf } from './failure';

const rows: { name: string; want: number; sentence?: string }[] = [
  { name: 'org.chromium.PatchPanel.Error.InvalidArgument', want: 1 },
  { name: 'org.chromium.PatchPanel.Error.NotFound', want: 3 },
  { name: 'org.chromium.PatchPanel.Error.AlreadyExists', want: 4 },
  { name: 'org.chromium.PatchPanel.Error.ResourceExhausted', want: 1 },
  { name: 'org.chromium.PatchPanel.Error.PermissionDenied', want: 5 },
  { name: 'org.chromium.PatchPanel.Error.Failed', want: 1 },
  { name: 'org.chromium.PatchPanel.Error.OfTomorrow', want: 1 },
  {
    name: 'org.freedesktop.DBus.Error.AccessDenied',
    want: 5,
    sentence: 'the bus policy does not let this user ask for that',
  },
  { name: 'org.freedesktop.DBus.Error.ServiceUnknown', want: 6, sentence: 'no manager runs on this bus' },
  { name: 'org.freedesktop.DBus.Error.NameHasNoOwner', want: 6, sentence: 'no manager runs on this bus' },
  { name: 'org.freedesktop.DBus.Error.Spawn.ChildExited', want: 6 },
  { name: 'org.freedesktop.DBus.Error.NoReply', want: 6 },
  { name: 'org.freedesktop.DBus.Error.Disconnected', want: 6 },
  { name: 'org.freedesktop.DBus.Error.UnknownMethod', want: 1 },
  { name: 'com.example.Error', want: 1 },
];

test.each(rows)('$name is exit code $want', ({ name, want, sentence = 'no uplink wlan9' }) => {
  const refused = meaningOf(new DBusError(name, 'no uplink wlan9'));
  expect(refused).toBeInstanceOf(Refused);
  expect(refused).toMatchObject({
    exitCode: want,
    sentence,
    advice: expect.stringMatching(/\w/) as string,
  });
});

test('what is no error reply stays what it is', () => {
  const bug = new TypeError('x is undefined');
  expect(meaningOf(bug)).toBe(bug);
});
