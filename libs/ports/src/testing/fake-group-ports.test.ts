import { FakeGroupPorts } from './fake-group-ports';
import { CONTRACT_GROUP, GROUP_ROWS } from './group-ports-contract';

test.each(GROUP_ROWS)('$name', async ({ run }) => {
  const ports = new FakeGroupPorts();
  ports.plug(1, '10.9.1.1', 'fe80::1');
  const sender = { address: '10.9.1.2', port: CONTRACT_GROUP.port };
  const { seen, want } = await run({
    ports,
    ifname: 'left',
    ifindex: 1,
    own: '10.9.1.1',
    neighbor: sender.address,
    say: (text, to) => {
      const data = Uint8Array.from(text, (each) => each.charCodeAt(0));
      if (to === 'group') ports.hear(1, CONTRACT_GROUP.address, CONTRACT_GROUP.port, { data, ...sender });
      else ports.hearAnswer(1, to, { data, ...sender });
    },
    heard: () => ports.sent.map(({ from, payload }) => `${from} ${String.fromCharCode(...payload)}`),
    until: (condition) => (condition() ? Promise.resolve() : Promise.reject(new Error('it never is'))),
  });
  expect(seen).toEqual(want);
});
