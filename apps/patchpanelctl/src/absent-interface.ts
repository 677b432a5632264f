/** Whether an interface that is named in a port rule is there: the API takes any name, and a slip of the pen would wait for ever. */
import { Refused } from '@pp/daemon';
import { objectIn, objects } from './json';
import type { PortRule } from './port-args';

export interface InterfaceDoors {
  /** null: nobody can tell. */
  readonly hasInterface: (ifname: string) => boolean | null;
  /** The text that the manager's status socket gives. */
  readonly status: () => Promise<string>;
}

/** What to tell of a rule whose interface is not there; null: nothing. */
export async function absenceOf(rule: PortRule, doors: InterfaceDoors): Promise<string | null> {
  const { ifname, protocol, port } = rule;
  if (ifname === '' || doors.hasInterface(ifname) !== false || (await isKnownToManager(ifname, doors)))
    return null;
  return `there is no interface ${ifname} now: the rule waits until there is one; if the name is wrong, take the rule back with patchpanelctl port close ${port}/${protocol} --on ${ifname}`;
}

/** The manager may see another network namespace than this program. Who may not see its status is left with this one. */
async function isKnownToManager(ifname: string, { status }: InterfaceDoors): Promise<boolean> {
  const text = await status().catch((fault: unknown) => {
    if (fault instanceof Refused) return '{}';
    throw fault;
  });
  const { uplinks, guests, namespaces } = objectIn(text) ?? {};
  return [
    ...objects(uplinks)
      .filter(({ state }) => state !== 'awaited')
      .map((uplink) => uplink['ifname']),
    ...objects(guests).flatMap((guest) => [guest['ifname'], guest['link']]),
    ...objects(namespaces).map(({ hostIfname }) => hostIfname),
  ].includes(ifname);
}

/** The interfaces in the text of /proc/net/dev, which unlike /sys/class/net is about the reader's own network namespace (proc_net(5)). */
export const interfacesIn = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => /^ *([^\s:]+):/.exec(line)?.[1] ?? []);
