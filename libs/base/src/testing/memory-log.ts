import type { LogFields, Logger } from '../log';

/** Keeps lines as "level event key=value ..." for tests to read. */
export class MemoryLog implements Logger {
  readonly lines: string[] = [];

  debug(event: string, fields?: LogFields): void {
    this.#keep('debug', event, fields);
  }

  info(event: string, fields?: LogFields): void {
    this.#keep('info', event, fields);
  }

  warn(event: string, fields?: LogFields): void {
    this.#keep('warn', event, fields);
  }

  error(event: string, fields?: LogFields): void {
    this.#keep('error', event, fields);
  }

  #keep(level: string, event: string, fields: LogFields = {}): void {
    const pairs = Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`);
    this.lines.push([level, event, ...pairs].join(' '));
  }
}
