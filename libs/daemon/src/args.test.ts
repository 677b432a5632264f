import { accept, refuse } from '@pp/base';
import { readArgs, type Invocation, type ServiceSpec } from './args';
import { choice, type RawArgs } from './raw-args';

interface Relay {
  readonly listen: string | undefined;
  readonly mode: 'fast' | 'safe';
  readonly groups: readonly string[];
  readonly quick: boolean;
  readonly names: readonly string[];
}

const SPEC: ServiceSpec<Relay> = {
  name: 'relay',
  version: '1.2.3',
  description: 'Relays for tests.',
  options: [
    { flags: '--listen <ADDR:PORT>', text: 'where clients connect' },
    { flags: '--mode <MODE>', text: 'fast or safe' },
    { flags: '--dry-group <NAME>', text: 'may be repeated', repeat: true },
    { flags: '--quick', text: 'without value' },
  ],
  operands: { synopsis: '[LAN GUEST...]', text: 'LAN is the first one.' },
  notes: 'Example:\n  relay eth0 vmtap0',
  parse(raw: RawArgs) {
    const mode = choice(raw, 'mode', ['fast', 'safe'], 'safe');
    if (!mode.ok) return mode;
    if (raw.operands.length === 1) return refuse('InvalidArgument', `'${raw.operands.join()}' has no guest`);
    return accept({
      listen: raw.one('listen'),
      mode: mode.value,
      groups: raw.all('dry-group'),
      quick: raw.has('quick'),
      names: raw.operands,
    });
  },
};

const WITHOUT_OPERANDS: ServiceSpec<Relay> = {
  name: SPEC.name,
  version: SPEC.version,
  description: SPEC.description,
  parse: (raw) => SPEC.parse(raw),
};

const NOTHING: Relay = { listen: undefined, mode: 'safe', groups: [], quick: false, names: [] };
const COMMON = { level: 'info', format: 'text', stateDir: '/run/patchpanel' } as const;
const refused = (sentence: string): Invocation<Relay> => ({ do: 'refuse', exitCode: 2, sentence });

describe('a command line', () => {
  const rows: { name: string; in: string[]; want: Invocation<Relay> }[] = [
    { name: 'nothing', in: [], want: { do: 'serve', config: NOTHING, common: COMMON } },
    {
      name: 'everything',
      in: '--listen [::1]:5555 --mode fast --dry-group a --quick --dry-group=b --log-level debug --log-format json --state-dir /x eth0 tap0'.split(
        ' ',
      ),
      want: {
        do: 'serve',
        config: {
          listen: '[::1]:5555',
          mode: 'fast',
          groups: ['a', 'b'],
          quick: true,
          names: ['eth0', 'tap0'],
        },
        common: { level: 'debug', format: 'json', stateDir: '/x' },
      },
    },
    { name: 'status', in: ['status'], want: { do: 'status', json: false, stateDir: '/run/patchpanel' } },
    {
      name: 'status --json',
      in: ['status', '--json'],
      want: { do: 'status', json: true, stateDir: '/run/patchpanel' },
    },
    {
      name: 'state dir before status',
      in: ['--state-dir', '/x', 'status'],
      want: { do: 'status', json: false, stateDir: '/x' },
    },
    {
      name: 'state dir after status',
      in: ['status', '--state-dir', '/x', '--json'],
      want: { do: 'status', json: true, stateDir: '/x' },
    },
    { name: 'version', in: ['--version'], want: { do: 'print', text: '1.2.3\n' } },
    { name: 'a refusal of parse', in: ['eth0'], want: refused("'eth0' has no guest") },
    {
      name: 'a word that is none of the choice',
      in: ['--mode', 'x'],
      want: refused("--mode 'x' is unknown; write fast or safe"),
    },
    {
      name: 'an unknown option',
      in: ['--bogus'],
      want: refused("unknown option '--bogus'; see relay --help"),
    },
    {
      name: 'a mistyped option',
      in: ['--lisen', 'x'],
      want: refused("unknown option '--lisen' (Did you mean --listen?); see relay --help"),
    },
    {
      name: 'an option without its value',
      in: ['--listen'],
      want: refused('--listen needs a value: --listen <ADDR:PORT>; see relay --help'),
    },
    {
      name: 'an unknown log level',
      in: ['--log-level', 'loud'],
      want: refused("--log-level 'loud' is unknown; write debug or info or warn or error"),
    },
    {
      name: 'an unknown log format',
      in: ['--log-format', 'xml'],
      want: refused("--log-format 'xml' is unknown; write text or json"),
    },
    {
      name: 'an empty state dir',
      in: ['--state-dir', ''],
      want: refused("--state-dir '' is empty; write a directory such as /run/patchpanel"),
    },
    {
      name: 'a state dir like an abstract socket',
      in: ['--state-dir', '@x'],
      want: refused(
        "--state-dir '@x' is no abstract socket but a directory; write /run/patchpanel, or ./@x if it is called that",
      ),
    },
    {
      name: 'a state dir of two lines',
      in: ['--state-dir', '/run\n/x'],
      want: refused(
        "--state-dir '/run?/x' has control characters; write a directory such as /run/patchpanel",
      ),
    },
    {
      name: 'a state dir too long for a socket',
      in: ['--state-dir', `/${'x'.repeat(80)}`],
      want: refused(`--state-dir '/${'x'.repeat(80)}' is too long; write at most 75 bytes`),
    },
    {
      name: 'status with an argument',
      in: ['status', 'me'],
      want: refused("status takes no argument 'me'; see relay --help"),
    },
    {
      name: 'status with an unknown option',
      in: ['status', '--bogus'],
      want: refused("unknown option '--bogus'; see relay status --help"),
    },
  ];
  test.each(rows)('$name', ({ in: argv, want }) => {
    expect(readArgs(SPEC, argv)).toEqual(want);
  });

  test('an argument where none is taken', () => {
    expect(readArgs(WITHOUT_OPERANDS, ['eth0'])).toEqual(
      refused("argument 'eth0' is not understood; see relay --help"),
    );
  });
});

test('--help tells all', () => {
  const asked = readArgs(SPEC, ['--help']);
  expect(asked.do === 'print' ? asked.text : asked).toBe(`Usage: relay [options] [LAN GUEST...]

Relays for tests.

Options:
  --version              print the version and exit
  --listen <ADDR:PORT>   where clients connect
  --mode <MODE>          fast or safe
  --dry-group <NAME>     may be repeated
  --quick                without value
  --state-dir <DIR>      where its status socket and files lie (default:
                         "/run/patchpanel")
  --log-level <LEVEL>    debug, info, warn, error (default: "info")
  --log-format <FORMAT>  text, json (default: "text")
  -h, --help             print this and exit

Commands:
  status [options]       ask the running service how it is

LAN is the first one.

Example:
  relay eth0 vmtap0

Exit codes: 0 done, 1 failed, 2 usage, 5 denied, 6 not running.
`);
});
