import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED_INSIDE, type Host } from '../host';
import { repository } from '../repository';

/** How the bus of a host is reached. */
export interface Bus {
  /** D-Bus address for the test process. */
  readonly outside: string;
  /** D-Bus address for processes of the host; it is also their system bus by default. */
  readonly inside: string;
}

const OUR_POLICY = repository('apps/patchpanel-manager/dbus/org.chromium.PatchPanel.conf');
/** Of services with names of their own. */
const OTHER_POLICIES = [repository('apps/counters/dbus/org.chromium.PatchPanel.Counters.conf')];

/** A system bus of the host's own, with the policy that we ship (until there is one: root owns the name, everybody may call). */
export async function startBus(host: Host): Promise<Bus> {
  writeFileSync(join(host.shared, 'bus.conf'), busConfiguration(existsSync(OUR_POLICY)));
  const bus = host.spawn('dbus-daemon', [
    `--config-file=${SHARED_INSIDE}/bus.conf`,
    '--nofork',
    '--nopidfile',
    '--print-address',
  ]);
  await bus.line('address', (line) => (line.includes('unix:path=') ? true : undefined));
  const outside = `unix:path=${join(host.shared, 'bus')}`;
  return { outside, inside: `unix:path=${SHARED_INSIDE}/bus` };
}

/** The rules of a Debian system bus: own nothing, call nobody but the bus itself; services bring their own exceptions. */
function busConfiguration(ours: boolean): string {
  const bus = 'send_destination="org.freedesktop.DBus"';
  const name = 'org.chromium.PatchPanel';
  const stopgap = `
  <policy user="root"><allow own_prefix="${name}"/></policy>
  <policy context="default"><allow send_destination="${name}"/></policy>`;
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <auth>EXTERNAL</auth>
  <listen>unix:path=${SHARED_INSIDE}/bus</listen>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <limit name="max_replies_per_connection">50000</limit>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow ${bus} send_interface="org.freedesktop.DBus"/>
    <allow ${bus} send_interface="org.freedesktop.DBus.Introspectable"/>
    <allow ${bus} send_interface="org.freedesktop.DBus.Properties"/>
    <deny ${bus} send_interface="org.freedesktop.DBus" send_member="UpdateActivationEnvironment"/>
  </policy>
  <policy user="root">
    <allow ${bus} send_interface="org.freedesktop.DBus.Monitoring"/>
    <allow own="org.chromium.SessionManager"/>
    <allow send_destination="org.chromium.SessionManager"/>
    <allow own="org.chromium.flimflam"/>
    <allow send_destination="org.chromium.flimflam"/>
  </policy>
  ${ours ? `<include>${OUR_POLICY}</include>` : stopgap}
  ${OTHER_POLICIES.map((path) => `<include>${path}</include>`).join('\n  ')}
</busconfig>
`;
}
