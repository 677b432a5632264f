import { MemoryLog } from '@pp/base/testing';
import { systemClock } from '@pp/daemon';
import type { Bus, CallReply, CallRequest } from '@pp/dbus';
import { forwardingClient, type Forwarding, type ForwardingArc, type ForwardingClient } from '@pp/forwarding';
import {
  ApiClient,
  decoded,
  lastSeen,
  type Manager,
  standardLab,
  type StandardLab,
  startManager,
} from '@pp/lab';
import { encode, type Messages } from '@pp/proto';

const FORWARDING = {
  destination: 'org.chromium.PatchPanel',
  path: '/org/chromium/PatchPanel',
  interface: 'org.chromium.PatchPanel.Forwarding1',
};
const UPLINKS = ['--uplink', 'eth0=ethernet', '--uplink', 'eth1=ethernet'];

/** A host with two uplinks, a manager, a client of its API, and one that follows its forwarding as a helper does. */
export class ForwardingRig {
  readonly lab: StandardLab;
  readonly api: ApiClient;
  readonly helper: ForwardingClient;
  /** How often the helper has asked for the whole state. */
  readonly questions: () => number;
  manager: Manager;

  private constructor(parts: Omit<ForwardingRig, 'close' | 'restart' | 'call' | 'state' | 'expectSameView'>) {
    this.lab = parts.lab;
    this.api = parts.api;
    this.helper = parts.helper;
    this.questions = parts.questions;
    this.manager = parts.manager;
  }

  static async open(): Promise<ForwardingRig> {
    const lab = await standardLab({ secondUplink: true });
    try {
      return await ForwardingRig.#openIn(lab);
    } catch (fault) {
      await lab.close(); // else its processes would keep the test run alive
      throw fault;
    }
  }

  static async #openIn(lab: StandardLab): Promise<ForwardingRig> {
    const manager = await startManager(lab.host, { args: UPLINKS });
    const api = await ApiClient.open(lab.bus.outside);
    let questions = 0;
    const bus = {
      call: (request: CallRequest): Promise<CallReply> => {
        if (request.member === 'GetForwarding') questions++;
        return api.bus.call(request);
      },
      subscribe: (...args: Parameters<Bus['subscribe']>) => api.bus.subscribe(...args),
      watchName: (...args: Parameters<Bus['watchName']>) => api.bus.watchName(...args),
    };
    const options = { bus, clock: systemClock, log: new MemoryLog(), onChange: () => undefined };
    const helper = await forwardingClient(options);
    return new ForwardingRig({ lab, api, helper, questions: () => questions, manager });
  }

  async restart(how: 'kill' | 'stop'): Promise<void> {
    await this.manager[how]();
    this.manager = await startManager(this.lab.host, { args: UPLINKS });
  }

  /** A method of Forwarding1; rejects with the DBusError of the reply. */
  async call(member: string, body: Uint8Array): Promise<Uint8Array> {
    const reply = await this.api.bus.call({ ...FORWARDING, member, signature: 'ay', body: [body] });
    return reply.body[0] as Uint8Array;
  }

  async state(): Promise<Messages['ForwardingState']> {
    const body = await this.call('GetForwarding', encode('GetForwardingRequest', {}));
    return decoded('ForwardingState', body);
  }

  /** `context` is shown where they differ. Returns what both see. */
  async expectSameView(context: object): Promise<readonly string[]> {
    const both = async () => ({
      manager: textOf(await this.state()),
      helper: this.helper.isCurrent ? textOf(this.helper.forwarding) : ['not told yet'],
    });
    // An uplink may change between the two looks: they are the same at some time.
    const last = await lastSeen(
      'the helper sees what the manager does',
      both,
      ({ manager, helper }) => JSON.stringify(manager) === JSON.stringify(helper),
    );
    expect({ ...context, view: last.helper }).toEqual({ ...context, view: last.manager });
    return last.helper;
  }

  async close(): Promise<void> {
    this.helper.close();
    this.api.close();
    await this.manager.stop();
    await this.lab.close();
  }
}

/** In any order: "eth0-vmtap0:6mb" with 6 for IPv6, m for multicast, b for broadcast; and Android. */
function textOf(
  view: Pick<Messages['ForwardingState'], 'pairs' | 'arc'> | Forwarding | undefined,
): readonly string[] {
  if (view === undefined) return [];
  const pairs = view.pairs.map(({ upstream, downstream, ipv6, multicast, broadcast }) => {
    const what = `${ipv6 ? '6' : ''}${multicast ? 'm' : ''}${broadcast ? 'b' : ''}`;
    return `${upstream}-${downstream}:${what}`;
  });
  return [...pairs.sort(), ...arcText(view.arc)];
}

function arcText(arc: Messages['ForwardingArc'] | ForwardingArc | null | undefined): readonly string[] {
  if (arc === null || arc === undefined) return [];
  if ('kind' in arc) return [arc.kind === 'vm' ? `arc cid ${arc.cid}` : `arc pid ${arc.pid}`];
  return [arc.pid === 0 ? `arc cid ${arc.cid}` : `arc pid ${arc.pid}`];
}
