import { toHex } from '@pp/wire/testing';
import { FakeHostRoutes, FakeMemberships } from './fake-neighbor-doors';
import { HOST_ROUTES_ROWS, runHostRoutesRow } from './host-routes-contract';
import { MEMBERSHIPS_ROWS } from './memberships-contract';
import { FakePacketPorts, PacketLan } from './packet-lan';
import { FAR, NEAR, PACKET_PORTS_ROWS } from './packet-ports-contract';

test.each(HOST_ROUTES_ROWS)('routes in memory: $name', async (row) => {
  const routes = new FakeHostRoutes();
  routes.gone.add(9);
  expect(await runHostRoutesRow(row, { routes, first: 1, second: 2, gone: 9 })).toEqual(row.want);
});

test.each(MEMBERSHIPS_ROWS)('memberships in memory: $name', ({ run, want }) => {
  const memberships = new FakeMemberships();
  memberships.gone.add(9);
  const isMember = (group: Uint8Array): boolean => memberships.joined.has(`1:${toHex(group)}`);
  expect(run({ memberships, ifindex: 1, gone: 9, isMember })).toEqual(want);
});

test.each(PACKET_PORTS_ROWS)('ports in memory: $name', async ({ run, want }) => {
  const ports = new FakePacketPorts();
  const lan = new PacketLan();
  ports.plug(1, lan, toHex(NEAR));
  ports.plug(2, lan, toHex(FAR));
  expect(await run({ ports, near: 1, far: 2, gone: 9 })).toEqual(want);
});
