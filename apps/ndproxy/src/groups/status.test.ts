import { Status } from './status';

const denied = Status.of('BAD_PERMISSIONS', 'opening the socket');

test.each([
  { name: 'OK says no more', status: Status.ok, want: 'OK' },
  { name: 'a code alone', status: Status.of('DOES_NOT_EXIST'), want: 'Does Not Exist' },
  { name: 'a code with a message', status: denied, want: 'Bad Permissions: opening the socket' },
  { name: 'a code that is not known', status: Status.of(77, 'odd'), want: 'Unknown (77): odd' },
  {
    name: 'text added at the same level',
    status: denied.append(' of eth0'),
    want: 'Bad Permissions: opening the socket of eth0',
  },
  { name: 'nothing added', status: denied.append(''), want: 'Bad Permissions: opening the socket' },
  {
    name: 'four levels, outermost first',
    status: denied.wrap('binding eth0').wrap('adding to lan').wrap('start'),
    want: 'Bad Permissions: start: adding to lan: binding eth0: opening the socket',
  },
  {
    name: 'a level that adds nothing leaves no separator',
    status: denied.wrap().wrap('start'),
    want: 'Bad Permissions: start: opening the socket',
  },
  { name: 'an inherited message alone', status: denied.wrap(), want: 'Bad Permissions: opening the socket' },
  { name: 'OK stays OK', status: Status.ok.wrap('never seen'), want: 'OK' },
])('$name', ({ status, want }) => {
  expect(status.toString()).toBe(want);
});

test('a copy keeps its levels: what is added to it joins the current one', () => {
  const copy = denied.wrap('binding eth0');
  expect(copy.append(' now').toString()).toBe('Bad Permissions: binding eth0 now: opening the socket');
  expect(copy.toString()).toBe('Bad Permissions: binding eth0: opening the socket');
});

test('the code never changes along the chain', () => {
  expect(Status.of('MTU_EXCEEDED').wrap('a').append('b').wrap('c').code).toBe('MTU_EXCEEDED');
});
