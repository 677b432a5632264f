/** `patchpanelctl devices`, `vm` and `arc`: one call each, its answer printed. */
import { ExitCode, Refused } from '@pp/daemon';
import { encode, type MessageName, type Messages } from '@pp/proto';
import { subnetText } from './addresses';
import { callManager, withBus, type BusDoor } from './call-manager';
import { deviceFromProto, devicesText, type Device } from './devices';
import type { GuestCall } from './guest-args';
import { jsonLine } from './json';

export type GuestDoors = BusDoor;

/** What the manager answered; the keys are the API's field names. */
interface Answer {
  readonly devices: readonly Device[];
  readonly container_subnet?: string;
}

/** Returns what to print. */
export async function devices(json: boolean, doors: GuestDoors): Promise<string> {
  const reply = await ask(doors, 'GetDevices', encode('GetDevicesRequest', {}), 'GetDevicesResponse');
  const answer = { devices: reply.devices.map(deviceFromProto) };
  if (json) return jsonLine(answer);
  return answer.devices.length === 0 ? 'no guest has a device\n' : devicesText(answer.devices);
}

/** Returns what to print. */
export async function guest(call: GuestCall, json: boolean, doors: GuestDoors): Promise<string> {
  const answer = call.what === 'start' ? await start(call, doors) : await stop(call, doors);
  return json ? jsonLine(answer) : answerText(call, answer);
}

async function start({ guest: kind, id, subnetIndex }: GuestCall, doors: GuestDoors): Promise<Answer> {
  switch (kind) {
    case 'termina': {
      const body = encode('TerminaVmStartupRequest', { cid: Number(id) });
      const reply = await ask(doors, 'TerminaVmStartup', body, 'TerminaVmStartupResponse');
      const { containerSubnet } = reply;
      const containers =
        containerSubnet === undefined ? {} : { container_subnet: subnetText(containerSubnet) };
      return { devices: [madeDevice(reply.device)], ...containers };
    }
    case 'plugin': {
      const body = encode('PluginVmStartupRequest', { id, subnetIndex });
      const reply = await ask(doors, 'PluginVmStartup', body, 'PluginVmStartupResponse');
      return { devices: [madeDevice(reply.device)] };
    }
    case 'arcvm': {
      const body = encode('ArcVmStartupRequest', { cid: Number(id) });
      const reply = await ask(doors, 'ArcVmStartup', body, 'ArcVmStartupResponse');
      return { devices: reply.devices.map(deviceFromProto) };
    }
    case 'arc':
      await ask(doors, 'ArcStartup', encode('ArcStartupRequest', { pid: Number(id) }), 'ArcStartupResponse');
      return { devices: [] };
  }
}

async function stop({ guest: kind, id }: GuestCall, doors: GuestDoors): Promise<Answer> {
  const cid = Number(id);
  switch (kind) {
    case 'termina': {
      const body = encode('TerminaVmShutdownRequest', { cid });
      await ask(doors, 'TerminaVmShutdown', body, 'TerminaVmShutdownResponse');
      break;
    }
    case 'plugin': {
      const body = encode('PluginVmShutdownRequest', { id });
      await ask(doors, 'PluginVmShutdown', body, 'PluginVmShutdownResponse');
      break;
    }
    case 'arcvm': {
      const body = encode('ArcVmShutdownRequest', { cid });
      await ask(doors, 'ArcVmShutdown', body, 'ArcVmShutdownResponse');
      break;
    }
    case 'arc':
      await ask(doors, 'ArcShutdown', encode('ArcShutdownRequest', { pid: cid }), 'ArcShutdownResponse');
  }
  return { devices: [] };
}

const ask = <M extends MessageName>(
  { connectBus }: GuestDoors,
  member: string,
  request: Uint8Array,
  reply: M,
): Promise<Messages[M]> => withBus(connectBus, (bus) => callManager(bus, member, request, reply));

/** Other managers answer a failure with an empty message. */
function madeDevice(device: Messages['NetworkDevice'] | undefined): Device {
  if (device !== undefined) return deviceFromProto(device);
  throw new Refused(ExitCode.failed, 'the manager did not start the guest and gave no reason', {
    advice: "look at the manager's log",
  });
}

function answerText(
  { what, guest: kind, id }: GuestCall,
  { devices: made, container_subnet }: Answer,
): string {
  const name = kind === 'arc' ? 'the ARC container' : `${kind} VM ${id}`;
  const head = `${name} ${what === 'start' ? 'started' : 'stopped'}\n`;
  const containers = container_subnet === undefined ? '' : `containers ${container_subnet}\n`;
  return head + (made.length === 0 ? '' : devicesText(made)) + containers;
}
