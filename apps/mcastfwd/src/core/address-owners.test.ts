import { millis } from '@pp/base';
import type { NameKey } from '@pp/wire';
import { AddressOwners } from './address-owners';

/*
 * Links 1 and 2. Seconds; the TTL is 120 unless a row says otherwise.
 */

const NAME = 'box' as NameKey;

type Event =
  | { readonly at: number; readonly says: 'here' | 'there'; readonly on: number; readonly ttl?: number }
  | { readonly at: number; readonly isOwnedOn: number; readonly want: boolean };

const ROWS: readonly { readonly name: string; readonly events: readonly Event[] }[] = [
  {
    name: 'nobody has said anything',
    events: [{ at: 0, isOwnedOn: 1, want: false }],
  },
  {
    name: 'who said it on a link has it there, and not on the other',
    events: [
      { at: 0, says: 'here', on: 1 },
      { at: 119, isOwnedOn: 1, want: true },
      { at: 119, isOwnedOn: 2, want: false },
    ],
  },
  {
    name: 'past its TTL it has five seconds from when the name is heard elsewhere, however late that is',
    events: [
      { at: 0, says: 'here', on: 1 },
      { at: 2000, isOwnedOn: 1, want: true },
      { at: 2004, isOwnedOn: 1, want: true },
      { at: 2005, isOwnedOn: 1, want: false },
      { at: 2100, isOwnedOn: 1, want: false },
    ],
  },
  {
    name: 'it speaks up within them: it has the name as before',
    events: [
      { at: 0, says: 'here', on: 1 },
      { at: 130, isOwnedOn: 1, want: true },
      { at: 131, says: 'here', on: 1 },
      { at: 140, isOwnedOn: 1, want: true },
      { at: 260, isOwnedOn: 1, want: true },
      { at: 266, isOwnedOn: 1, want: false },
    ],
  },
  {
    name: 'a farewell ends it at once',
    events: [
      { at: 0, says: 'here', on: 1 },
      { at: 1, says: 'here', on: 1, ttl: 0 },
      { at: 2, isOwnedOn: 1, want: false },
    ],
  },
  {
    name: 'an address that is said on another link too was passed on, also when one of them is past its TTL',
    events: [
      { at: 0, says: 'there', on: 1 },
      { at: 1, says: 'there', on: 2, ttl: 10 },
      { at: 50, isOwnedOn: 1, want: false },
      { at: 51, says: 'here', on: 1 },
      { at: 52, isOwnedOn: 1, want: true },
    ],
  },
  {
    name: 'what was said more than 75 minutes past its TTL ago is forgotten',
    events: [
      { at: 0, says: 'here', on: 1 },
      { at: 4621, isOwnedOn: 1, want: false },
    ],
  },
];

test.each(ROWS)('$name', ({ events }) => {
  const owners = new AddressOwners();
  for (const event of events) {
    const now = millis(event.at * 1000);
    if ('says' in event) owners.note(NAME, event.on, event.says, event.ttl ?? 120, now);
    else expect([event.at, owners.isOwnedOn(NAME, event.isOwnedOn, now)]).toEqual([event.at, event.want]);
  }
});

test('neither names nor addresses of one are remembered without bound', () => {
  const owners = new AddressOwners();
  for (let i = 0; i < 40; i++) owners.note(NAME, 1, `address ${i}`, 120, millis(0));
  for (let i = 0; i < 4100; i++) owners.note(`other ${i}` as NameKey, 1, 'here', 120, millis(1));
  expect([
    owners.isOwnedOn(NAME, 1, millis(2)),
    owners.isOwnedOn('other 4099' as NameKey, 1, millis(2)),
  ]).toEqual([false, true]);
});
