import { seconds } from '@pp/base';
import type { Child } from '../child';
import { Place } from '../place';
import { until } from '../until';

export interface AvahiOptions {
  /** Its name on the network, without ".local"; other daemons of the lab have others. */
  readonly hostName: string;
  /** Default: all. */
  readonly interfaces?: readonly string[];
  /** Passes on between its interfaces, without a limit of its rate. */
  readonly reflector?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** A service as avahi-browse resolves it. */
export interface FoundService {
  readonly ifname: string;
  readonly family: 'IPv4' | 'IPv6';
  readonly name: string;
  readonly hostName: string;
  readonly address: string;
  readonly port: number;
}

const BUS_CONFIG = `<busconfig><type>system</type><auth>EXTERNAL</auth><listen>unix:path=/run/dbus/system_bus_socket</listen>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>`;

/** An avahi-daemon with a bus of its own in a network namespace: publisher and browser at once. It ends with its place. */
export class Avahi {
  private constructor(
    readonly daemon: Child,
    /** Commands here speak with this daemon. */
    readonly place: Place,
  ) {}

  static async start(place: Place, options: AvahiOptions): Promise<Avahi> {
    const daemon = place.spawn('unshare', [
      '--mount',
      '--propagation',
      'private',
      'sh',
      '-euc',
      script(options),
    ]);
    await daemon.line(
      'sign of having started',
      (line) => (line.includes('Server startup complete') ? true : undefined),
      seconds(20),
    );
    return new Avahi(daemon, new Place(`${place.name}'s avahi`, daemon.pid, options.env ?? {}));
  }

  /** Announced as long as the command that is returned runs. */
  async publish(name: string, type: string, port: number): Promise<Child> {
    const child = this.place.spawn('avahi-publish', ['-s', name, type, String(port)]);
    await child.line(`sign of ${name}`, (line) =>
      line.includes('Established under name') ? true : undefined,
    );
    return child;
  }

  /** What is known of a type after a moment of asking; only what could be resolved. */
  async browse(type: string): Promise<readonly FoundService[]> {
    const text = await this.place.ok('avahi-browse', ['-rtp', type]);
    return text.split('\n').flatMap(foundService);
  }

  /** The name that it has now; another than it began with after a conflict. */
  async hostName(): Promise<string> {
    const args = [
      '--system',
      '--print-reply=literal',
      '--dest=org.freedesktop.Avahi',
      '/',
      'org.freedesktop.Avahi.Server.GetHostName',
    ];
    return (await this.place.ok('dbus-send', args)).trim();
  }

  /** The address of a host's name; undefined: nobody answers for 20 s. The daemon itself gives up earlier, and is asked again. */
  async resolve(name: string, family: '-4' | '-6'): Promise<string | undefined> {
    return until(`${this.place.name} resolves ${name}`, async () => {
      const { stdout } = await this.place.run('avahi-resolve', [family, '-n', name]);
      return stdout.trim().split(/\s+/)[1];
    }).catch(() => undefined);
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
  }
}

function script({ hostName, interfaces, reflector = false }: AvahiOptions): string {
  return `
mount -t tmpfs tmpfs /run
mkdir -p /run/dbus /run/avahi-daemon
cat > /run/bus.conf << 'END'
${BUS_CONFIG}
END
cat > /run/avahi.conf << 'END'
[server]
host-name=${hostName}
use-ipv4=yes
use-ipv6=yes
${interfaces === undefined ? '' : `allow-interfaces=${interfaces.join(',')}`}
ratelimit-interval-usec=0
ratelimit-burst=0
[publish]
publish-hinfo=no
publish-workstation=no
[reflector]
enable-reflector=${reflector ? 'yes' : 'no'}
END
dbus-daemon --config-file=/run/bus.conf --fork --nopidfile
exec avahi-daemon --no-drop-root --no-chroot --no-rlimits --file /run/avahi.conf`;
}

/** "=;eth0;IPv4;name;_ipp._tcp;local;host.local;192.0.2.1;631;" */
function foundService(line: string): readonly FoundService[] {
  const [kind, ifname = '', family, name = '', , , hostName = '', address = '', port] = line.split(';');
  if (kind !== '=' || (family !== 'IPv4' && family !== 'IPv6')) return [];
  return [{ ifname, family, name: unescaped(name), hostName, address, port: Number(port) }];
}

/** "\032" is a blank. */
const unescaped = (name: string): string =>
  name.replaceAll(/\\(\d{3})/g, (_, code: string) => String.fromCharCode(Number(code)));
