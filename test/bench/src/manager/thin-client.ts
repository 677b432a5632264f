import type { Bus } from '@pp/lab';
import type { Machine } from '../bed/bed';
import { LineProgram, millisOf } from '../bed/line-program';
import { programPath } from '../bed/programs';
import type { Connection } from './client';
import { portRuleBody } from './port-rule-body';

/** tools/connect-client.c: timed in C, as the peers are. One call at a time. */
export class ThinClient {
  readonly #program: LineProgram;

  constructor({ host }: Machine, { inside }: Bus) {
    const socket = inside.replace(/^unix:path=/, '');
    this.#program = new LineProgram(host, programPath('connect-client'), [socket]);
  }

  async connectNamespace(pid: number): Promise<Connection> {
    const [nanoseconds = '', hostIfname = ''] = (await this.#program.ask(`connect ${pid}`)).split(' ');
    return {
      tookMs: millisOf(nanoseconds),
      hostIfname,
      release: () => void this.#program.ask(`release ${hostIfname}`),
    };
  }

  /** Starts a Termina VM; milliseconds from request to reply. */
  async startTermina(cid: number): Promise<number> {
    return millisOf(await this.#program.ask(`termina ${cid}`));
  }

  /** As above, its stop. */
  async stopTermina(cid: number): Promise<number> {
    return millisOf(await this.#program.ask(`shutdown ${cid}`));
  }

  /** Opens a TCP port to guests, or closes it; milliseconds from request to reply. */
  async portRule(op: 'create' | 'delete', port: number): Promise<number> {
    const hex = Buffer.from(portRuleBody(op, port)).toString('hex');
    return millisOf(await this.#program.ask(`call ModifyPortRule ${hex}`));
  }

  /** Milliseconds of a call that the manager's bus library answers: what D-Bus itself costs. */
  async ping(): Promise<number> {
    return millisOf(await this.#program.ask('ping'));
  }

  async pings(count: number): Promise<readonly number[]> {
    const samples: number[] = [];
    for (let i = 0; i < count; i++) samples.push(await this.ping());
    return samples;
  }

  async close(): Promise<void> {
    await this.#program.close();
  }
}
