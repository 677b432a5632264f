import { Attributes } from '../codec/attributes';
import { NLM_F_DUMP } from '../codec/message';
import type { NetlinkMessage } from '../codec/message';
import { readS32host } from '../codec/numbers';
import { attribute, encode, nested, stringAttribute, u16host, u32host, u8 } from '../codec/parts';
import * as IFLA from '../rt/ifla';
import { RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK, RTM_SETLINK } from '../rt/types';
import { ack, done, part, refusalOf } from './answers';
import type { Script } from './scripted-socket';

// errno(3)
const EEXIST = 17;
const ENODEV = 19;

interface FakeLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly group: number;
  readonly alias: string;
}

/** As much of rtnetlink as bridges need: made, found, changed and deleted by name, ifindex or group. */
export function scriptedLinks(): Script {
  const links = new Map<number, FakeLink>([[1, { ifindex: 1, ifname: 'lo', group: 0, alias: '' }]]);
  const named = (name: string | null): FakeLink | undefined =>
    [...links.values()].find(({ ifname }) => ifname === name);
  const delMany = (doomed: readonly FakeLink[]): boolean =>
    doomed.filter(({ ifindex }) => links.delete(ifindex)).length > 0;

  return (request) => {
    const attributes = new Attributes(request.body, 16);
    const ifindex = readS32host(request.body, 4);
    const found = ifindex !== 0 ? links.get(ifindex) : named(attributes.string(IFLA.IFNAME));
    const group = attributes.u32host(IFLA.GROUP);
    const yes = [ack(request)];
    const no = [refusalOf(request, ENODEV)];
    switch (request.type) {
      case RTM_NEWLINK: {
        if (found !== undefined) return [refusalOf(request, EEXIST)];
        const ifname = attributes.string(IFLA.IFNAME) ?? '';
        const next = Math.max(...links.keys()) + 1;
        links.set(next, { ifindex: next, ifname, group: group ?? 0, alias: '' });
        return yes;
      }
      case RTM_SETLINK:
        if (found === undefined) return no;
        links.set(ifindex, {
          ...found,
          alias: attributes.string(IFLA.IFALIAS) ?? found.alias,
          group: group ?? found.group,
        });
        return yes;
      case RTM_DELLINK: {
        const byGroup = [...links.values()].filter((link) => link.group === group);
        return delMany(found === undefined ? byGroup : [found]) ? yes : no;
      }
      case RTM_GETLINK:
        if ((request.flags & NLM_F_DUMP) === NLM_F_DUMP)
          return [...[...links.values()].map((link) => show(request, link)), done(request)];
        return found === undefined ? no : [show(request, found), ...yes];
      default:
        throw new Error(`unexpected message type ${request.type}`);
    }
  };
}

const show = (request: NetlinkMessage, { ifindex, ifname, group, alias }: FakeLink): Uint8Array =>
  part(
    request,
    RTM_NEWLINK,
    encode(
      u8(0, 0),
      u16host(1),
      u32host(ifindex),
      u32host(0),
      u32host(0),
      stringAttribute(IFLA.IFNAME, ifname),
      attribute(IFLA.GROUP, u32host(group)),
      stringAttribute(IFLA.IFALIAS, alias),
      ...(ifname === 'lo' ? [] : [nested(IFLA.LINKINFO, stringAttribute(IFLA.INFO_KIND, 'bridge'))]),
    ),
  );
