import type { NftEvent, RouteEvent } from '@pp/netlink';
import type { Bed, Machine } from '../bed/bed';
import { KernelNews } from '../bed/kernel-news';
import { Manager } from '../manager/manager';
import { hoped, type Row } from '../report/row';
import { spreadOf, type Spread } from '../stats/spread';
import { POOL } from './pool';
import { progress, type Figure, type Settings } from './figure';

const COUNT = 500;

/** Others take the table away, or an uplink goes: how soon all is right again. */
export const survivalFigure: Figure = {
  name: 'survival',
  about: `a foreign flush, and a switch of uplinks, with ${COUNT} guests`,
  measure,
};

/** A third flush within a minute is answered later on purpose. */
const FLUSHES_A_MANAGER = 2;

async function measure(bed: Bed, settings: Settings): Promise<readonly Row[]> {
  const [managers, switches] = settings.quick ? [1, 3] : [5, 15];
  const pids = await bed.namespaces(COUNT);
  const machine = await bed.machine('manager');
  const bus = await bed.bus(machine);
  const upAgain = await secondUplink(bed, machine);
  const args = ['--uplink', 'eth1=ethernet', ...POOL];
  const [repairs, moves]: [number[], number[]] = [[], []];
  const told = progress(settings, 'survival', managers);
  for (let n = 0; n < managers; n++) {
    const manager = await Manager.startOn(machine, bus, { args });
    const connections = await manager.connectAll(pids);
    repairs.push(...(await flushed(machine)));
    if (n === 0) moves.push(...(await switched(machine, upAgain, switches)));
    for (const connection of connections) connection.release();
    await manager.stop();
    told(n);
  }
  return [
    row(`survival: foreign flush to repaired, ${COUNT} guests`, 100, spreadOf(repairs), [
      'from the deletion of the table to its being there with all elements, as heard on the nftables group',
      'limit: nft itself, which reads and sends the whole table',
    ]),
    row(`survival: uplink switch to consistent state, ${COUNT} guests`, 500, spreadOf(moves), [
      'from the best uplink going down to the rules that lead guests to the other one',
      "limit: the host's network is read anew, after 5 ms in which news are gathered",
    ]),
  ];
}

const row = (name: string, goal: number, spread: Spread, details: readonly string[]): Row => ({
  name,
  measured: spread.median,
  unit: 'ms',
  goal: hoped(goal),
  spread,
  details,
});

/** Its default route is worse than eth0's. Returns what gives eth0 its route again. */
async function secondUplink(bed: Bed, { host, sink }: Machine): Promise<string> {
  await host.shell(`ip link add eth1 type veth peer name spare netns ${bed.sink.pid}
    ip addr add 198.19.0.2/24 dev eth1
    ip link set eth1 up`);
  await bed.sink.shell('ip addr add 198.19.0.1/24 dev spare; ip link set spare up');
  await host.shell('ip route add default via 198.19.0.1 dev eth1 metric 100');
  return `ip link set eth0 up; ip route add default via ${sink}`;
}

async function flushed(machine: Machine): Promise<readonly number[]> {
  const news = await KernelNews.ofTable(machine);
  const took: number[] = [];
  for (let round = 0; round < FLUSHES_A_MANAGER; round++) {
    const gone = news.next((event) => event.on === 'edit' && event.what === 'gone');
    const repaired = gone.then(async (at) => (await news.next(addsToTable)) - at);
    await machine.host.ok('nft', ['flush', 'ruleset']);
    took.push(await repaired);
  }
  news.close();
  return took;
}

/** The first that is told of a transaction that makes the table anew. */
const addsToTable = (event: NftEvent): boolean => event.on === 'edit' && event.what === 'added';

async function switched(machine: Machine, upAgain: string, rounds: number): Promise<readonly number[]> {
  const news = await KernelNews.ofNetwork(machine);
  const took: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const down = news.next((event) => event.on === 'link' && event.link.ifname === 'eth0');
    const led = news.next(leadsGuests);
    await machine.host.ok('ip', ['link', 'set', 'eth0', 'down']);
    took.push((await led) - (await down));
    const back = news.next(leadsGuests);
    await machine.host.shell(upAgain);
    await back;
  }
  news.close();
  return took;
}

/** The last step of a switch: the rule for what takes the best uplink, of the second family. */
const leadsGuests = (event: RouteEvent): boolean =>
  event.on === 'rule' &&
  event.change === 'new' &&
  event.rule.family === 'ipv6' &&
  event.rule.priority === 32763;
