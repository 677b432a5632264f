import { definitionOf, type Entry, type Help, type ProgramHelp } from './help-text';

/** What may follow some words of a command line. */
interface Next {
  readonly words: string[];
  hasInterface: boolean;
}

/** The bash function that completes a program's command lines, and the `complete` that says so (bash(1), Programmable Completion). */
export function bashCompletion({ name, main, commands }: ProgramHelp): string {
  const tree = treeOf({ name, main, commands });
  const first = tree.get('')?.words ?? [];
  const all = [main, ...commands.values()].flatMap(({ options }) => options);
  const call = `_${name.replaceAll('-', '_')}`;
  const asksManager = name === 'patchpanelctl';
  return `# bash completion of ${name}, made from its --help
${call}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} path='' value='' words word i
  local device links='' status_in=()
  for device in /sys/class/net/*; do # a name may be one that compgen would run: $(reboot)
    [[ \${device##*/} == *[^A-Za-z0-9._-]* ]] || links+=" \${device##*/}"
  done
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == [=:]* ]]; then value=1; continue; fi # readline makes words of what lies about = and :
    if [[ -n $value ]]; then value=''; continue; fi
    if [[ $word == --state-dir ]]; then status_in=("$word" "\${COMP_WORDS[i + 1]}"); fi
    case $word in
      ${valued(all).join('|')}) value=1 ;;${programBehindDashes(commands)}
      -*) ;;
      *) path+="\${path:+ }$word" ;;
    esac
  done
  if [[ $cur == '=' ]]; then cur=''; elif [[ $prev == '=' ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi${asksManager ? VM_IDS : ''}
  case $prev in
${valueCases(all)}
  esac
  case \${path%% *} in
${[...optionCases(first, main, commands)].map((each) => `    ${each}`).join('\n')}
  esac
  case $path in
${pathCases(tree, first, main)}${asksManager ? `\n    ${PORTS}` : ''}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F ${call} ${name}
`;
}

const ASK_STATUS = '"${COMP_WORDS[0]}" "${status_in[@]}" status --json 2>/dev/null';

/** In bash, what only the manager's status tells, of patchpanelctl alone: the ids of the VMs that run, the ports that have a rule. */
const VM_IDS = `
  if [[ "$path $prev" == 'vm stop '*' --id' ]]; then
    words=$(${ASK_STATUS} | grep -o '"id":"'"\${path##* }/[0-9]*" | cut -d/ -f2)
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi`;
const PORTS = `'port close') words+=" $(${ASK_STATUS} | grep -o '"protocol":"[a-z]*","port":[0-9]*' | sed 's|.*:"\\(.*\\)",.*:\\(.*\\)|\\2/\\1|')" ;;`;

/** By the words before: the commands, what their usage lists, and commands that only our own words tell of ("Of the running proxy"). */
function treeOf({ name, main, commands }: ProgramHelp): ReadonlyMap<string, Next> {
  const tree = new Map<string, Next>();
  const told = main.notes
    .flat()
    .map((line) => definitionOf(line)?.term ?? '')
    .filter((term) => term.startsWith(`${name} `));
  for (const term of told) grow(tree, '', term.slice(name.length + 1));
  for (const [command, { usage }] of commands) {
    add(tree, '', [command]);
    grow(tree, command, usage);
  }
  return tree;
}

/** "start|stop termina|plugin --id N | list": words in small letters are to be written, those in capitals stand for something. */
function grow(tree: Map<string, Next>, root: string, usage: string): void {
  for (const alternative of usage.split(' | ')) {
    let paths = [root];
    for (const token of tokensOf(alternative)) {
      for (const path of paths) add(tree, path, token.split('|'));
      paths = paths.flatMap((path) => token.split('|').map((word) => `${path} ${word}`.trim()));
    }
  }
}

/** Words up to the first that stands for something else than an interface; options and their values left out. */
function tokensOf(usage: string): readonly string[] {
  const tokens = usage
    .replaceAll(/(?<=^| )\[?--?[a-z][^ ]*( [A-Z][^ ]*)?|\[options\]/g, '')
    .split(' ')
    .map((token) => token.replaceAll(/[[\]]|\.\.\.$/g, ''))
    .filter((token) => token !== '');
  const end = tokens.findIndex((token) => !/^[a-z][a-z-]*(\|[a-z][a-z-]*)*$/.test(token));
  return end < 0 ? tokens : tokens.slice(0, tokens[end] === 'IF' ? end + 1 : end);
}

function add(tree: Map<string, Next>, path: string, words: readonly string[]): void {
  const next = tree.get(path) ?? { words: [], hasInterface: false };
  tree.set(path, next);
  if (words[0] === 'IF') next.hasInterface = true;
  else next.words.push(...words.filter((word) => !next.words.includes(word)));
}

const namesOf = ({ term }: Entry): readonly string[] => term.match(/(?<=^|, )--?[\w-]+/g) ?? [];
const placeholderOf = ({ term }: Entry): string | null => /<(.*)>$/.exec(term)?.[1] ?? null;

const valued = (options: readonly Entry[]): readonly string[] => [
  ...new Set(options.filter((option) => placeholderOf(option) !== null).flatMap(namesOf)),
];

/** "connect [-- CMD...]": a program and its files. */
const programBehindDashes = (commands: ReadonlyMap<string, Help>): string =>
  [...commands.values()].some(({ usage }) => usage.includes('[-- CMD'))
    ? `
      --)
        if ((i == COMP_CWORD - 1)); then COMPREPLY=($(compgen -c -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi
        return ;;`
    : '';

/** What may be written for an option's value. */
function valueCases(options: readonly Entry[]): string {
  const cases = new Map<string, string>();
  for (const option of options) {
    const means = placeholderOf(option);
    if (means !== null) for (const name of namesOf(option)) cases.set(name, completionOf(means, option.text));
  }
  return [...cases]
    .map(
      ([name, way]) =>
        `    ${name}) ${way === '' ? '' : `COMPREPLY=($(compgen ${way} -- "$cur")); `}return ;;`,
    )
    .join('\n');
}

/** Arguments of compgen; none where nobody knows what may be written. */
function completionOf(placeholder: string, text: string): string {
  if (/^IF\b/.test(placeholder)) return '-W "$links"';
  if (placeholder === 'DIR') return '-d';
  if (placeholder === 'USER') return '-u';
  const words = listedWords(text);
  return words.length === 0 ? '' : `-W '${words.join(' ')}'`;
}

const WORD = String.raw`([a-z][a-z-]*)(?: \((?:default|[^()]*)\))?`;
const LIST = new RegExp(`^(?:[^:]*: )?${WORD}(?:(?:, | or )${WORD})+$`);
const DESCRIBED = new RegExp(`^${WORD}: .`);

/** "two-way (default), inbound or off", or "clean (default): leave nothing; keep: leave all"; none where the text is anything else. */
export function listedWords(text: string): readonly string[] {
  const bare = text.replace(/ \(default: "[^"]*"\)$/, '');
  if (LIST.test(bare))
    return bare
      .replace(/^[^:]*: /, '')
      .replaceAll(/ \([^()]*\)/g, '')
      .split(/, | or /);
  const parts = bare.split('; ').map((part) => DESCRIBED.exec(part)?.[1]);
  return parts.length > 1 && parts.every((word) => word !== undefined && word !== 'default')
    ? parts.filter((word) => word !== undefined)
    : [];
}

/** The options behind a command; those that are not commander's commands take the place of the service, and are about it alone. */
function* optionCases(
  first: readonly string[],
  main: Help,
  commands: ReadonlyMap<string, Help>,
): Generator<string> {
  for (const word of first) {
    const own = commands.get(word)?.options.flatMap(namesOf) ?? ['-h', '--help'];
    yield `${word}) words='${[...own, '--state-dir'].join(' ')}' ;;`;
  }
  yield `*) words='${main.options.flatMap(namesOf).join(' ')}' ;;`;
}

/** What follows the words so far; operands of a service are interfaces, every one of them. */
function pathCases(tree: ReadonlyMap<string, Next>, first: readonly string[], main: Help): string {
  const hasOperands = main.usage.includes('...]');
  const cases = [...tree].map(([path, { words, hasInterface }]) => {
    const links = hasInterface || (path === '' && hasOperands) ? ' $links' : '';
    return `'${path}') words+=" ${words.join(' ')}${links}" ;;`;
  });
  const rest = hasOperands
    ? [`${first.flatMap((word) => [word, `'${word} '*`]).join('|')}) ;;`, `*) words+=" $links" ;;`]
    : [];
  return [...cases, ...rest].map((each) => `    ${each}`).join('\n');
}
