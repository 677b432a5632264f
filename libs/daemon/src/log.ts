import type { LogFields, Logger } from '@pp/base';
import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import { printError } from './print';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export const LOG_FORMATS = ['text', 'json'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: (typeof LOG_FORMATS)[number];
}

/** syslog(3) priorities, as sd-daemon(3) wants them in front of a line. */
const PRIORITY: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

const STDERR = 2;

/** Lines on stderr, each written before the call returns. `journal`: whether the reader is journald. */
export function stderrLog(options: LogOptions, journal = isJournal(process.env['JOURNAL_STREAM'])): Logger {
  return lineLog(options, journal, printError);
}

/** `write` takes one whole line with its newline. */
export function lineLog(
  { level, format }: LogOptions,
  journal: boolean,
  write: (line: string) => void,
): Logger {
  const settings = {
    level,
    base: null,
    messageKey: 'event',
    // Text has none: stamps of text would load ICU, 1 MB.
    timestamp: format === 'json' && pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const sink =
    format === 'json'
      ? { write }
      : {
          write: (json: string) => {
            write(textLine(json, journal));
          },
        };
  const log = pino(settings, sink);
  return {
    debug: (event, fields = {}) => {
      log.debug(fields, event);
    },
    info: (event, fields = {}) => {
      log.info(fields, event);
    },
    warn: (event, fields = {}) => {
      log.warn(fields, event);
    },
    error: (event, fields = {}) => {
      log.error(fields, event);
    },
  };
}

/** "link.lost ifname=wlan0", with the level in front unless it is info or journald keeps it. */
function textLine(json: string, journal: boolean): string {
  const { level, event, ...rest } = JSON.parse(json) as LogFields & { level: LogLevel; event: string };
  const fields = Object.entries(rest).filter(([key]) => key !== 'time'); // journald has its own
  const pairs = fields.map(([key, value]) => `${key}=${quoted(String(value))}`);
  const front = journal ? `<${PRIORITY[level]}>` : level === 'info' ? '' : `${level} `;
  return `${front}${[event, ...pairs].join(' ')}\n`;
}

/** Quoted as in JSON where a space or a control character would make the line ambiguous. */
function quoted(value: string): string {
  if (/^[\w.,:;/@+%*()[\]<>-]+$/.test(value)) return value;
  return JSON.stringify(value).replaceAll(/[\u007f-\u009f\u2028\u2029]/g, escaped);
}

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** JOURNAL_STREAM is "device:inode" of the journal's socket (systemd.exec(5)); it is inherited also where stderr was redirected. */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  const { dev, ino } = fstatSync(STDERR);
  return stream === `${dev}:${ino}`;
}
