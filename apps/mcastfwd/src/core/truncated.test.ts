import type { Packet } from 'dns-packet';
import type { Step } from './action';
import { a, ask, ptr, respond, said } from './testing/messages';
import { exitsOf, Scene, sentBy, unwire, wire } from './testing/scene';

describe('known answers in several packets', () => {
  const part = (name: string, isLast: boolean): Packet => ({
    ...ask('_x._tcp.local', 'PTR', { answers: [ptr('_x._tcp.local', name)] }),
    flags: isLast ? 0 : 0x200,
  });
  const other = { address: '192.168.77.21' };
  const sentNames = (scene: Scene): readonly (string | undefined)[] =>
    sentBy(scene, 'tap0').map((payload) => said(unwire(payload))[0]);
  const names = (...each: readonly string[]): readonly string[] =>
    each.map((name) => `_x._tcp.local PTR ${name}`);

  test('those of two hosts do not mix', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    expect(scene.hear('eth0', wire(part('b1', false)), other).exits[0]).toEqual({
      ifname: 'tap0',
      outcome: 'held',
    });
    scene.pass('eth0', part('b2', true), other);
    scene.pass('eth0', part('a2', true));
    scene.wait(1);
    expect(sentNames(scene)).toEqual(names('a1', 'a2', 'b1', 'b2'));
    expect([scene.relay.waiting, scene.relay.nextDue()]).toEqual([0, Infinity]);
  });

  test('one that never ends does not stop others for more than half a second', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    scene.pass('eth0', part('b1', true), other);
    scene.wait(499);
    expect(sentNames(scene)).toEqual(names('a1'));
    scene.wait(2);
    expect(sentNames(scene)).toEqual(names('a1', 'b1'));
  });

  test('nor does one that goes on and on', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    scene.pass('eth0', part('b1', false), other);
    scene.wait(300);
    scene.pass('eth0', part('a2', false));
    scene.wait(199);
    expect(sentNames(scene)).toEqual(names('a1', 'a2'));
    scene.wait(1);
    scene.pass('eth0', part('a3', true));
    scene.pass('eth0', part('b2', true), other);
    scene.wait(1);
    expect(sentNames(scene)).toEqual(names('a1', 'a2', 'b1', 'b2', 'a3'));
    expect([scene.relay.waiting, scene.relay.nextDue()]).toEqual([0, Infinity]);
  });

  test('a query without known answers does not wait, a response neither', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    expect(exitsOf(scene.hear('eth0', wire(ask('y.local')), other))).toHaveLength(2);
    expect(exitsOf(scene.hear('eth0', wire(respond(a('y.local', '192.168.77.9'))), other))).toHaveLength(2);
  });

  test('no more than so many wait', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    for (let i = 0; i < 64; i++) scene.hear('eth0', wire(part(`b${i}`, true)), other);
    const { dropped, exits } = scene.hear('eth0', wire(part('b64', true)), other);
    expect([dropped, ...exits.map(({ outcome }) => outcome)]).toEqual([
      'held-full',
      'held-full',
      'held-full',
    ]);
  });

  test('a guest from whom so many wait leaves places to others', () => {
    const scene = new Scene();
    scene.pass('eth0', part('a1', false));
    for (let i = 0; i < 64; i++) scene.hear('tap1', wire(part(`b${i}`, true)));
    const atTap0 = ({ exits }: Step): string | undefined =>
      exits.find(({ ifname }) => ifname === 'tap0')?.outcome;
    expect(atTap0(scene.hear('tap1', wire(part('b64', true))))).toBe('held-full');
    expect(atTap0(scene.hear('eth0', wire(part('c1', true)), other))).toBe('held');
  });
});
