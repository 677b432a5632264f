import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Why there is no real server here; undefined: there is. */
export const redisMissing = (): string | undefined =>
  spawnSync('redis-server', ['--version']).status === 0
    ? undefined
    : 'redis-server (apt-get install redis-server)';

/** Polls until `holds`, for 20 s at most; a throw counts as "not yet". */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    if (
      await Promise.resolve()
        .then(holds)
        .catch(() => false)
    )
      return;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A redis-server of the test's own on a UNIX socket, which keeps what it was told on disk, as one that matters does. */
export class RedisServer {
  readonly directory = mkdtempSync(join(tmpdir(), 'pp-redis-'));
  #process: ChildProcess | undefined;

  get socket(): string {
    return join(this.directory, 'redis.sock');
  }

  get url(): string {
    return `redis+unix:${this.socket}`;
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const options = ['--port', '0', '--unixsocket', this.socket, '--dir', this.directory];
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    this.#process = spawn('redis-server', [...options, ...durable], { stdio: 'ignore' });
    await until('redis-server answers', () => this.#answers());
  }

  /** SIGKILL, or SIGSTOP and SIGCONT: it stands still and its connections stay. */
  async signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const server = this.#process;
    if (server === undefined) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    if (signal !== 'SIGKILL') return;
    await ended;
    rmSync(this.socket, { force: true });
  }

  async close(): Promise<void> {
    if (this.#process?.exitCode === null && this.#process.signalCode === null) {
      await this.signal('SIGCONT');
      await this.signal('SIGKILL');
    }
    rmSync(this.directory, { recursive: true, force: true });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const client = connect(this.socket, () => client.write('PING\r\n'));
      client.on('data', (data) => {
        client.destroy();
        resolve(data.toString().startsWith('+PONG'));
      });
      client.on('error', () => {
        resolve(false);
      });
    });
  }
}
