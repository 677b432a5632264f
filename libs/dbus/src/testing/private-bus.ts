import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface PrivateBusOptions {
  /** XML put into the configuration, after a policy that allows everything: policies, limits. */
  readonly config?: string;
}

/**
 * A dbus-daemon of the test's own, on a socket in a directory of its own. It has the limits of a system bus but one: there a
 * connection may have 128 calls without a reply, here as many as on a session bus.
 */
export interface PrivateBus {
  readonly address: string;
  readonly pid: number;
  /** Kills the daemon at once, as a crash would. */
  crash(): Promise<void>;
  /** Ends the daemon and removes its directory; idempotent. */
  stop(): Promise<void>;
}

/** A sentence for the name of a skipped test, or undefined when a private bus can be started here. */
export function whyNoPrivateBus(): string | undefined {
  return spawnSync('dbus-daemon', ['--version']).status === 0 ? undefined : 'dbus-daemon is not installed';
}

export async function startPrivateBus(options: PrivateBusOptions = {}): Promise<PrivateBus> {
  const directory = mkdtempSync(join(tmpdir(), 'pp-bus-'));
  const remove = (): void => {
    rmSync(directory, { recursive: true, force: true });
  };
  const config = join(directory, 'bus.conf');
  const address = `unix:path=${join(directory, 'socket')}`;
  writeFileSync(config, configXml(address, options.config ?? ''));
  const daemon = spawn(
    'dbus-daemon',
    [`--config-file=${config}`, '--nofork', '--nosyslog', '--print-address=1'],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  try {
    await untilListening(daemon);
  } catch (error) {
    remove();
    throw error;
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (daemon.exitCode !== null || daemon.signalCode !== null) return;
    const exited = once(daemon, 'exit');
    daemon.kill(signal);
    await exited;
  };
  return {
    address,
    pid: daemon.pid ?? 0,
    crash: () => end('SIGKILL'),
    stop: async () => {
      await end('SIGTERM');
      remove();
    },
  };
}

/** The daemon prints its address once it listens. */
async function untilListening(daemon: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    daemon.once('error', reject);
    daemon.once('exit', (code) => {
      reject(new Error(`dbus-daemon ended with ${String(code)} before it listened`));
    });
    daemon.stdout?.once('data', () => {
      resolve();
    });
  });
}

function configXml(address: string, more: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>${address}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="false"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
  <limit name="max_replies_per_connection">50000</limit>
  ${more}
</busconfig>
`;
}
