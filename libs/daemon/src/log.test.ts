import type { LogFields } from '@pp/base';
import { lineLog, type LogOptions } from './log';

function linesOf(options: Partial<LogOptions>, journal: boolean, fields: LogFields): string[] {
  const lines: string[] = [];
  const log = lineLog({ level: 'debug', format: 'text', ...options }, journal, (line) => lines.push(line));
  log.debug('frame.seen', fields);
  log.info('link.lost', fields);
  log.warn('link.odd', fields);
  log.error('fault', fields);
  return lines;
}

describe('text', () => {
  const rows: {
    name: string;
    options: Partial<LogOptions>;
    journal: boolean;
    fields: LogFields;
    want: string[];
  }[] = [
    {
      name: 'a level in front of all but info',
      options: {},
      journal: false,
      fields: { ifname: 'wlan0', count: 2, up: false },
      want: [
        'debug frame.seen ifname=wlan0 count=2 up=false\n',
        'link.lost ifname=wlan0 count=2 up=false\n',
        'warn link.odd ifname=wlan0 count=2 up=false\n',
        'error fault ifname=wlan0 count=2 up=false\n',
      ],
    },
    {
      name: 'priorities for journald',
      options: {},
      journal: true,
      fields: {},
      want: ['<7>frame.seen\n', '<6>link.lost\n', '<4>link.odd\n', '<3>fault\n'],
    },
    {
      name: 'nothing below the level',
      options: { level: 'warn' },
      journal: false,
      fields: {},
      want: ['warn link.odd\n', 'error fault\n'],
    },
    {
      name: 'ambiguous values are quoted, controls escaped, the undefined left out',
      options: { level: 'error' },
      journal: false,
      fields: {
        error: 'open "x": EPERM',
        line: 'a\nb\u009b',
        empty: '',
        gone: undefined,
        mac: '02:00:00:00:00:01',
      },
      want: ['error fault error="open \\"x\\": EPERM" line="a\\nb\\u009b" empty="" mac=02:00:00:00:00:01\n'],
    },
  ];
  test.each(rows)('$name', ({ options, journal, fields, want }) => {
    expect(linesOf(options, journal, fields)).toEqual(want);
  });
});

test('json: time, level, event and the fields', () => {
  const [line = ''] = linesOf({ format: 'json', level: 'error' }, false, { ifname: 'wlan0', count: 2 });
  const { time, ...rest } = JSON.parse(line) as Record<string, unknown>;
  expect(rest).toEqual({ level: 'error', event: 'fault', ifname: 'wlan0', count: 2 });
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});
