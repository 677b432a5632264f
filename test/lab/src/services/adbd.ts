import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { seconds } from '@pp/base';
import { systemPath, type Child } from '../child';
import { SHARED_INSIDE, type Host } from '../host';
import type { Place } from '../place';
import { until } from '../until';

const SERVER_PORT = 5037;

/** Why there can be no test with Debian's adb; undefined where there is one. */
export function adbMissing(): string | undefined {
  const env = { ...process.env, PATH: systemPath() };
  return spawnSync('sh', ['-c', 'command -v adb'], { env }).status === 0
    ? undefined
    : 'adb (apt-get install adb)';
}

/** Starts an emulated adbd; `where` as adbd-main.ts says, `directory` holds its files, both as `place` sees them. */
export async function startAdbd(place: Place, where: string, directory: string): Promise<Child> {
  const loader = pathToFileURL(require.resolve('tsx')).href;
  const args = ['--import', loader, join(__dirname, 'adbd-main.ts'), where, directory];
  const child = place.spawn(process.execPath, args);
  await child.line('sign of listening', (line) => (line === 'ready' ? true : undefined));
  return child;
}

/** Debian's adb with a server of its own on a host. */
export class Adb {
  readonly #place: Place;
  readonly #env: Readonly<Record<string, string>>;
  readonly #server: Child;

  private constructor(place: Place, env: Readonly<Record<string, string>>, server: Child) {
    this.#place = place;
    this.#env = env;
    this.#server = server;
  }

  /** `place` may be a guest of `host`: its keys lie in the directory that the host shares. */
  static async start(place: Place, host: Host): Promise<Adb> {
    const name = `adb-${place.name}`;
    mkdirSync(join(host.shared, name), { recursive: true });
    const home = `${SHARED_INSIDE}/${name}`;
    const env = { HOME: home, TMPDIR: home };
    const server = place.spawn('adb', ['-L', `tcp:${SERVER_PORT}`, 'server', 'nodaemon'], { env });
    await until('the adb server listens', async () => {
      const { code } = await place.run('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${SERVER_PORT}`]);
      return code === 0;
    });
    return new Adb(place, env, server);
  }

  /** What it prints; throws where it fails. It says some failures on standard output, with exit code 0. */
  async run(...args: readonly string[]): Promise<string> {
    const text = await this.#place.ok('adb', args, { env: this.#env, timeout: seconds(50) });
    return text.trim();
  }

  async exitCode(...args: readonly string[]): Promise<number | null> {
    const { code } = await this.#place.run('adb', args, { env: this.#env, timeout: seconds(50) });
    return code;
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}
