import { definitionOf, type Entry, type Help, type ProgramHelp } from './help-text';

/** What a page says that --help does not. */
export interface PageFacts {
  readonly section: 1 | 8;
  readonly summary: string;
  readonly version: string;
  /** YYYY-MM-DD, or empty. */
  readonly date: string;
  readonly files: readonly Entry[];
  /** "ndproxy(8)" */
  readonly seeAlso: readonly string[];
}

/** The manual page of a program in roff, see man(7) and groff_man(7). */
export function manPage({ name, main, commands }: ProgramHelp, facts: PageFacts): string {
  const { section, summary, version, date, files, seeAlso } = facts;
  const lines = [
    `.TH ${name.toUpperCase().replaceAll('-', '\\-')} ${section} "${date}" "patchpanel ${version}" "Patchpanel"`,
    '.nh', // a hyphen at the end of a line would be read as one of an option or a path
    '.ad l',
    ...under('NAME', [line(`${name} - ${summary}`)]),
    ...under('SYNOPSIS', synopsis(name, main, commands)),
    ...under('DESCRIPTION', [line(main.description), ...main.notes.flatMap(note)]),
    ...under('OPTIONS', main.options.flatMap(tagged)),
    ...under(
      'COMMANDS',
      main.commands.flatMap(({ term }) => command(term, commands)),
    ),
    ...under('EXIT STATUS', main.exitCodes.flatMap(tagged)),
    ...under('FILES', files.flatMap(tagged)),
    ...under('EXAMPLES', literally(main.examples)),
    ...under('SEE ALSO', [seeAlso.map((page) => line(page)).join(',\n')]),
  ];
  return `${lines.join('\n')}\n`;
}

const under = (heading: string, body: readonly string[]): readonly string[] =>
  body.length === 0 ? [] : [`.SH ${heading}`, ...body];

function synopsis(name: string, main: Help, commands: ReadonlyMap<string, Help>): readonly string[] {
  const calls = [
    { call: name, usage: main.usage },
    ...[...commands].map(([command, { usage }]) => ({ call: `${name} ${command}`, usage })),
  ];
  return calls.flatMap(({ call, usage }, place) => [
    ...(place === 0 ? [] : ['.br']),
    line(`${bold(call)} ${escaped(usage)}`, true),
  ]);
}

function command(term: string, commands: ReadonlyMap<string, Help>): readonly string[] {
  const [word = ''] = term.split(' ');
  const help = commands.get(word);
  if (help === undefined) throw new Error(`there is no --help of the command ${word}`);
  return [
    `.SS ${word}`,
    line(help.description),
    ...help.options.flatMap(tagged),
    ...help.notes.flatMap(note),
    ...literally(help.examples),
  ];
}

const tagged = ({ term, text }: Entry): readonly string[] => [
  '.TP',
  line(bold(term), true),
  line(text === '' ? ' ' : text),
];

/** Running text; what it lists becomes a list, and a line that stands further in stays one. */
function note(lines: readonly string[]): readonly string[] {
  let isList = true; // so that the first line begins a paragraph
  let wasIndented = false;
  return lines.flatMap((each) => {
    const definition = definitionOf(each);
    if (definition !== null) {
      isList = true;
      return tagged(definition);
    }
    const isIndented = each.startsWith(' ');
    const request = isList ? ['.PP'] : isIndented || wasIndented ? ['.br'] : [];
    isList = false;
    wasIndented = isIndented;
    return [...request, line(each.trim())];
  });
}

const literally = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ['.PP', '.nf', ...lines.map((each) => line(each)), '.fi'];

const bold = (text: string): string => `\\fB${escaped(text)}\\fR`;

/** A line of text, never a request. `isRoff`: it is escaped already. */
function line(text: string, isRoff = false): string {
  const roff = isRoff ? text : escaped(text);
  return /^[.']/.test(roff) ? `\\&${roff}` : roff;
}

/** Characters that roff would take for others, or does not know (groff_char(7)): a hyphen that is typed is \-, an apostrophe \(aq. */
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

const escaped = (text: string): string =>
  text
    .replaceAll(/[\\\-'`^~]/g, (character) => ESCAPES[character] ?? character)
    .replaceAll(/[^\n -~]/gu, (character) => `\\[u${hex4(character.codePointAt(0) ?? 0)}]`);

const hex4 = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');
