import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
// eslint-disable-next-line @nx/enforce-module-boundaries -- tools is no project: nothing but this and the packaging has it
import { programPages, sectionOf } from '../../../tools/help/program-pages';
import { offersOf, wordsIn } from './bash-offers';

const ROOT = resolve(__dirname, '../../..');
const PROGRAMS = [
  'adb-proxy',
  'bcast-fwd',
  'mcastfwd',
  'ndproxy',
  'counters',
  'patchpanel-manager',
  'patchpanelctl',
];
const bin = (app: string): string => join(ROOT, 'dist/bin', app);

interface Pages {
  readonly manual: string;
  readonly completion: string;
  /** The --help of the program, and of each of its commands. */
  readonly helps: readonly string[];
}

const pages = new Map<string, Pages>();
beforeAll(() => {
  for (const app of PROGRAMS) pages.set(app, pagesFor(app));
}, 120_000);

function pagesOf(app: string): Pages {
  const found = pages.get(app);
  if (found === undefined) throw new Error(`nothing was made for ${app}`);
  return found;
}

function pagesFor(app: string): Pages {
  const facts = { summary: 'a summary', version: '1.2.3', epochSec: 1_000_000_000, programs: PROGRAMS };
  const files = programPages(bin(app), { ...facts, files: [{ term: '/lib/a.service', text: 'a unit' }] });
  const section = sectionOf(app);
  return {
    manual: gunzipSync(files[`usr/share/man/man${section}/${app}.${section}.gz`] ?? '').toString(),
    completion: String(files[`usr/share/bash-completion/completions/${app}`]),
    helps: helpsOf(app),
  };
}

function answer(command: string, args: readonly string[], input = ''): string {
  const { stdout, stderr } = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent/bus' },
  });
  return stdout + stderr;
}

function helpsOf(app: string): readonly string[] {
  const main = answer(bin(app), ['--help']);
  const commands = /\nCommands:\n([^]*?)(\n\n|$)/.exec(main)?.[1] ?? '';
  const words = [...commands.matchAll(/^ {2}([a-z]+)/gm)].map(([, word = '']) => word);
  return [main, ...words.map((word) => answer(bin(app), [word, '--help']))];
}

/** What a page says, without roff. */
const plain = (page: string): string =>
  page
    .replaceAll(/\\f[BR]|\\&/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\(aq', "'")
    .replaceAll('\\(ha', '^')
    .replaceAll('\\(ti', '~')
    .replaceAll('\\(ga', '`')
    .replaceAll(/\\\[u([0-9A-F]+)\]/g, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
    .replaceAll('\\e', '\\');

describe.each(PROGRAMS)('the manual page of %s', (app) => {
  test('has each option of --help, with its value', () => {
    const lines = plain(pagesOf(app).manual).split('\n');
    const terms = pagesOf(app).helps.flatMap((help) =>
      [...help.matchAll(/^ {2}(-.*?)(?: {2}|$)/gm)].map(([, term = '']) => term),
    );
    expect(terms.length).toBeGreaterThan(2);
    expect(terms.filter((term) => !lines.includes(term))).toEqual([]);
  });

  test('has each word of --help', () => {
    const words = new Set(plain(pagesOf(app).manual).split(/\s+/));
    const heading = /^(Usage:|Options:|Commands:|Examples:|Exit codes: (.*)\.)$/gm;
    const help = pagesOf(app)
      .helps.join('\n')
      .replace(/^Usage: /gm, '');
    const wanted = help
      .replaceAll(heading, (_all, _name, codes: string | undefined) => (codes ?? '').replaceAll(',', ''))
      .replaceAll(/ Examples:$/gm, '')
      .replaceAll(/\[(words|cmd)\.\.\.\]/g, '') // commander's; the synopsis says what they are
      .split(/\s+/);
    expect(wanted.filter((word) => !words.has(word) && word !== '')).toEqual([]);
  });

  test('has the sections that readers look for', () => {
    const headings = [...pagesOf(app).manual.matchAll(/^\.SH (.*)$/gm)].map(([, heading]) => heading);
    expect(headings).toEqual([
      ...['NAME', 'SYNOPSIS', 'DESCRIPTION', 'OPTIONS', 'COMMANDS', 'EXIT STATUS', 'FILES'],
      ...(app === 'patchpanel-manager' ? [] : ['EXAMPLES']),
      'SEE ALSO',
    ]);
  });
});

const groffMissing = spawnSync('groff', ['--version']).error === undefined ? undefined : 'groff';
(groffMissing === undefined ? test.each(PROGRAMS) : test.skip.each(PROGRAMS))(
  `groff has nothing to say about the page of %s${groffMissing === undefined ? '' : ` (needs ${groffMissing})`}`,
  (app) => {
    expect(answer('groff', ['-man', '-ww', '-z'], pagesOf(app).manual)).toBe('');
  },
);

function offered(app: string, words: readonly string[]): readonly string[] {
  return wordsIn(answer('bash', offersOf(pagesOf(app).completion, [app, ...words])));
}

test.each([
  {
    app: 'patchpanelctl',
    words: ['port', ''],
    want: 'open lock forward close list --on --address --to --for --while-pid --json -h --help --state-dir',
  },
  { app: 'patchpanelctl', words: ['po'], want: 'port' },
  { app: 'patchpanelctl', words: ['vpn', 'lockdown', 'o'], want: 'on off' },
  { app: 'patchpanelctl', words: ['vm', '--id', '3', 'start', 't'], want: 'termina' },
  { app: 'patchpanelctl', words: ['vm', '--id', '=', '3', 'start', 't'], want: 'termina' },
  { app: 'patchpanelctl', words: ['port', '--to', '192.0.2.1', ':', '80', 'forw'], want: 'forward' },
  { app: 'patchpanelctl', words: ['connect', '--new', '--outbound', 'lo'], want: 'lo' },
  { app: 'patchpanelctl', words: ['connect', '--pid', ''], want: '' },
  { app: 'patchpanelctl', words: ['connect', '--new', '--source', 'u'], want: 'unknown user update-engine' },
  { app: 'patchpanelctl', words: ['vm', 'stop', 'termina', '--id', ''], want: '' },
  { app: 'patchpanelctl', words: ['connect', '--new', '--', 'setpri'], want: 'setpriv' },
  {
    app: 'patchpanelctl',
    words: ['connect', '--new', '--', 'ls', '/proc/self/statu'],
    want: '/proc/self/status',
  },
  { app: 'ndproxy', words: ['lo', '--mode', '=', ''], want: 'route bridge' },
  { app: 'ndproxy', words: ['lo', '--mode', '='], want: 'route bridge' },
  { app: 'ndproxy', words: ['group', 'add-'], want: 'add-if add-upstream' },
  { app: 'ndproxy', words: ['group', 'bind-if', 'lo'], want: 'lo' },
  { app: 'ndproxy', words: ['group', 'create-group', 'lo'], want: '' },
  { app: 'ndproxy', words: ['--suppress', 'lo'], want: 'lo' },
  { app: 'ndproxy', words: ['status', ''], want: '--json -h --help --state-dir' },
  { app: 'mcastfwd', words: ['filter', ''], want: 'allow deny del -h --help --state-dir' },
  { app: 'mcastfwd', words: ['--direction', 'in'], want: 'inbound' },
  { app: 'bcast-fwd', words: ['t'], want: 'trace' },
  { app: 'counters', words: ['--history-dir', '/et'], want: '/etc' },
  { app: 'adb-proxy', words: ['--allow', ''], want: 'sideload always never' },
  { app: 'patchpanel-manager', words: ['--tap-owner', 'roo'], want: 'root' },
])('bash completes $app $words', ({ app, words, want }) => {
  const got = new Set(offered(app, words)); // a program may be in several directories of PATH
  expect([...got].sort()).toEqual(want.split(' ').filter(Boolean).sort());
});

test.each(PROGRAMS)('bash offers for options of %s what the program takes', (app) => {
  const options = [...(pagesOf(app).helps[0] ?? '').matchAll(/^ {2}(--\S+) <(\S+)>/gm)];
  for (const [, option = '', value = ''] of options) {
    const words = offered(app, [option, '']);
    if (words.length === 0 || /^(IF|DIR$|USER$)/.test(value)) continue;
    const [, taken = ''] =
      / 'bogus' is unknown; write (.*)\n/.exec(answer(bin(app), [option, 'bogus'])) ?? [];
    expect({ option, words: [...words].sort() }).toEqual({
      option,
      words: taken
        .replace(', with commas between', '')
        .split(/ or |, /)
        .sort(),
    });
  }
});
