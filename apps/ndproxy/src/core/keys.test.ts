import { addressKey, addressOf } from './keys';
import { ip } from './testing/scene';

test.each([
  '::',
  '2001:db8::1',
  'fe80::a:2',
  'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'd800:dc00:80:ff::7f',
])('%s comes back from its key', (text) => {
  expect(addressOf(addressKey(ip(text)))).toEqual(ip(text));
});
