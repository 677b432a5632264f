export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** One line per event: a stable event name ("link.lost"), then fields. Info is for operators, at human rates. */
export interface Logger {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
