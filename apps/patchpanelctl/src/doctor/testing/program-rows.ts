import type { Finding } from '../finding';
import { warning, withFiles } from './changes';
import type { FaultRow } from './fault-row';

const managed = (program: string, advice: string): Finding =>
  warning('managers', `${program} manages vmtap0, which is ours, and may change its addresses`, advice);

/** A process of that name, for pid files. */
const asProcess = (name: string, pidFile: string): { readonly comes: string; readonly goes: string } => ({
  comes: `mkdir -p $(dirname ${pidFile}); cp /bin/sleep /run/lab/${name}; /run/lab/${name} 600 > /dev/null 2>&1 & echo $! > ${pidFile}`,
  goes: `kill $(cat ${pidFile}); rm ${pidFile} /run/lab/${name}`,
});

const dhcpcd = asProcess('dhcpcd', '/run/dhcpcd/pid');
const avahi = asProcess('avahi-daemon', '/run/avahi-daemon/pid');

/** Other programs that do what we do. */
export const PROGRAM_ROWS: readonly FaultRow[] = [
  {
    name: "NetworkManager manages a guest's link",
    change: withFiles({ '/run/NetworkManager/devices/7': '[device]\nmanaged=true\n' }),
    want: [
      managed(
        'NetworkManager',
        "write '[device-patchpanel]', 'match-device=interface-name:vmtap*;interface-name:arc*' and 'managed=0' to /etc/NetworkManager/conf.d/90-patchpanel.conf and restart it: systemctl restart NetworkManager",
      ),
    ],
    lab: {
      comes: `mkdir -p /run/NetworkManager/devices
        printf '[device]\\nmanaged=true\\n' > /run/NetworkManager/devices/$(cat /sys/class/net/vmtap0/ifindex)`,
      goes: 'rm -r /run/NetworkManager',
    },
  },
  {
    name: "systemd-networkd manages a guest's link",
    change: withFiles({ '/run/systemd/netif/links/7': 'ADMIN_STATE=configured\nOPER_STATE=routable\n' }),
    want: [
      managed(
        'systemd-networkd',
        "write '[Match]', 'Name=vmtap* arc*', '[Link]' and 'Unmanaged=yes' to /etc/systemd/network/05-patchpanel.network and reload it: networkctl reload",
      ),
    ],
    lab: {
      comes: `mkdir -p /run/systemd/netif/links
        echo ADMIN_STATE=configured > /run/systemd/netif/links/$(cat /sys/class/net/vmtap0/ifindex)`,
      goes: 'rm -r /run/systemd/netif',
    },
  },
  {
    name: 'both know that it is not theirs',
    change: withFiles({
      '/run/NetworkManager/devices/7': '[device]\nmanaged=false\n',
      '/run/systemd/netif/links/7': 'ADMIN_STATE=unmanaged\n',
    }),
    want: [],
  },
  {
    name: 'dhcpcd takes every link',
    change: withFiles({ '/run/dhcpcd/pid': '55\n', '/proc/55/comm': 'dhcpcd\n' }),
    want: [managed('dhcpcd', "write 'denyinterfaces vmtap* arc*' to /etc/dhcpcd.conf and restart it")],
    lab: dhcpcd,
  },
  {
    name: 'dhcpcd is told which links it may have',
    change: withFiles({
      '/run/dhcpcd/pid': '55\n',
      '/proc/55/comm': 'dhcpcd\n',
      '/etc/dhcpcd.conf': 'allowinterfaces eth0\n',
    }),
    want: [],
  },
  {
    name: 'dhcpcd ended long ago',
    change: withFiles({ '/run/dhcpcd/pid': '55\n', '/proc/55/comm': 'cron\n' }),
    want: [],
  },
  {
    name: 'avahi reflects as well',
    change: withFiles({
      '/run/avahi-daemon/pid': '56\n',
      '/proc/56/comm': 'avahi-daemon\n',
      '/etc/avahi/avahi-daemon.conf': '[reflector]\nenable-reflector=yes\n',
    }),
    want: [
      warning(
        'reflector',
        'avahi-daemon reflects mDNS between interfaces, as mcastfwd does: names are announced twice and may be taken for conflicts',
        "write 'enable-reflector=no' to /etc/avahi/avahi-daemon.conf and restart it",
      ),
    ],
    lab: {
      needs: '/etc/avahi/avahi-daemon.conf',
      comes: `printf '[reflector]\\nenable-reflector=yes\\n' > /run/lab/avahi.conf
        mount --bind /run/lab/avahi.conf /etc/avahi/avahi-daemon.conf; ${avahi.comes}`,
      goes: `umount /etc/avahi/avahi-daemon.conf; ${avahi.goes}`,
    },
  },
  {
    name: 'avahi runs, and reflects nothing',
    change: withFiles({
      '/run/avahi-daemon/pid': '56\n',
      '/proc/56/comm': 'avahi-daemon\n',
      '/etc/avahi/avahi-daemon.conf': '[reflector]\n#enable-reflector=yes\n',
    }),
    want: [],
  },
];
