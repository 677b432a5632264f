import { aaaa, ask, ptr, respond } from './testing/messages';
import { exitsOf, NEIGHBOR, Scene, wire } from './testing/scene';

describe('directions', () => {
  const query = ask('_x._tcp.local');
  const response = respond(ptr('_x._tcp.local', 'y'));
  const probe = ask('x.local', 'ANY', { authorities: [aaaa('x.local', '2001:db8::1')] });
  test.each([
    { direction: 'two-way', from: 'eth0', packet: query, want: ['tap0', 'tap1'] },
    { direction: 'inbound', from: 'eth0', packet: query, want: ['tap0', 'tap1'] },
    { direction: 'inbound', from: 'eth0', packet: response, want: [] },
    { direction: 'inbound', from: 'tap0', packet: query, want: ['tap1'] },
    { direction: 'inbound', from: 'tap0', packet: response, want: ['eth0', 'tap1'] },
    { direction: 'inbound', from: 'tap0', packet: probe, want: ['eth0', 'tap1'] },
    { direction: 'outbound', from: 'eth0', packet: query, want: [] },
    { direction: 'outbound', from: 'eth0', packet: response, want: ['tap0', 'tap1'] },
    { direction: 'outbound', from: 'tap0', packet: query, want: ['eth0', 'tap1'] },
    { direction: 'outbound', from: 'tap0', packet: response, want: ['tap1'] },
    { direction: 'off', from: 'eth0', packet: response, want: [] },
  ] as const)('$direction, from $from: $want', ({ direction, from, packet, want }) => {
    expect(exitsOf(new Scene({ direction }).hear(from, wire(packet)))).toEqual(want);
  });

  test('of one guest, and between guests', () => {
    const scene = new Scene({ guestDirections: [{ guest: 'tap1', direction: 'off' }] });
    expect(exitsOf(scene.hear('eth0', wire(query)))).toEqual(['tap0']);
    scene.set({ betweenGuests: false });
    expect(exitsOf(scene.hear('tap0', wire(query), { address: NEIGHBOR.tap0 }))).toEqual([]); // looped: the LAN asked it
    scene.wait(1500);
    expect(exitsOf(scene.hear('tap0', wire(query)))).toEqual(['eth0']);
  });
});
