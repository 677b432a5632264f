import { matchesIfname } from './interface-news';

test.each([
  { name: 'the very name', pattern: 'eth0', ifname: 'eth0', want: true },
  { name: 'a longer name', pattern: 'eth0', ifname: 'eth01', want: false },
  { name: 'a name that begins so', pattern: 'vmtap*', ifname: 'vmtap12', want: true },
  { name: 'a name that is the beginning itself', pattern: 'vmtap*', ifname: 'vmtap', want: true },
  { name: 'another name', pattern: 'vmtap*', ifname: 'veth0', want: false },
])('$name: $want', ({ pattern, ifname, want }) => {
  expect(matchesIfname(pattern, ifname)).toBe(want);
});
