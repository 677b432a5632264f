import { ProtocolError } from './errors';

export interface SaslOptions {
  readonly uid: number;
  /** The guid that the server must have, when the address says it. */
  readonly guid: string | undefined;
  readonly send: (bytes: Uint8Array) => void;
}

/** Longer than any line of the handshake. */
const MAX_LINE_BYTES = 16 * 1024;

/** The client's side of EXTERNAL with descriptor passing (D-Bus Specification, "Authentication Protocol"). */
export class SaslHandshake {
  readonly #options: SaslOptions;
  #received = '';
  #awaits: 'OK' | 'AGREE_UNIX_FD' = 'OK';

  constructor(options: SaslOptions) {
    this.#options = options;
  }

  /** The NUL byte that carries the credentials, and the first line. */
  begin(): void {
    const identity = Buffer.from(String(this.#options.uid)).toString('hex');
    this.#send(`\0AUTH EXTERNAL ${identity}`);
  }

  /** The bytes after the handshake once it is done, else undefined. Throws ProtocolError when the server refuses. */
  receive(chunk: Uint8Array): Uint8Array | undefined {
    this.#received += Buffer.from(chunk).toString('latin1');
    for (let end = this.#received.indexOf('\r\n'); end >= 0; end = this.#received.indexOf('\r\n')) {
      const line = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 2);
      if (this.#step(line)) return Buffer.from(this.#received, 'latin1');
    }
    if (this.#received.length > MAX_LINE_BYTES) throw new ProtocolError('an endless line in the handshake');
    return undefined;
  }

  /** True when messages may follow. */
  #step(line: string): boolean {
    const [command, argument] = line.split(' ');
    if (command !== this.#awaits) throw new ProtocolError(this.#refusal(command, line));
    if (command === 'AGREE_UNIX_FD') {
      this.#send('BEGIN');
      return true;
    }
    const { guid } = this.#options;
    if (guid !== undefined && argument !== guid)
      throw new ProtocolError(`its guid is ${String(argument)}, not ${guid}`);
    this.#awaits = 'AGREE_UNIX_FD';
    this.#send('NEGOTIATE_UNIX_FD');
    return false;
  }

  #refusal(command: string | undefined, line: string): string {
    if (this.#awaits === 'AGREE_UNIX_FD') return `it does not pass file descriptors (it answered '${line}')`;
    return command === 'REJECTED' ? `it refuses uid ${this.#options.uid}` : `it answered '${line}' to AUTH`;
  }

  #send(line: string): void {
    this.#options.send(Buffer.from(`${line}\r\n`, 'latin1'));
  }
}
