/** One line of a list in --help: an option or a command, and what it does. */
export interface Entry {
  readonly term: string;
  readonly text: string;
}

/** What --help of a program, or of one of its commands, says. */
export interface Help {
  /** Behind the program's name. */
  readonly usage: string;
  readonly description: string;
  readonly options: readonly Entry[];
  readonly commands: readonly Entry[];
  /** Paragraphs behind the lists, each of its lines as they stand. */
  readonly notes: readonly (readonly string[])[];
  readonly examples: readonly string[];
  readonly exitCodes: readonly Entry[];
}

/** A program: its own --help, and that of each of its commands, by name. */
export interface ProgramHelp {
  readonly name: string;
  readonly main: Help;
  readonly commands: ReadonlyMap<string, Help>;
}

/** Reads what commander makes of the definitions, 80 columns wide, and our own words behind it. `path`: the words that it is the help of. */
export function parseHelp(path: string, text: string): Help {
  const [first = '', ...paragraphs] = text.trimEnd().split(/\n{2,}/);
  const usage = /^Usage: (.*)$/.exec(first)?.[1];
  if (usage?.startsWith(path) !== true) throw new Error(`--help of ${path} begins with '${first}'`);
  const lists = paragraphs.findIndex((paragraph) => paragraph.startsWith('Options:\n'));
  if (lists < 0) throw new Error(`--help of ${path} has no options`);
  const [options = '', ...behind] = paragraphs.slice(lists);
  const hasCommands = behind[0]?.startsWith('Commands:\n') === true;
  return {
    usage: usage.slice(path.length).trim(),
    description: paragraphs.slice(0, lists).join(' ').replaceAll('\n', ' '),
    options: entries(options),
    commands: hasCommands ? entries(behind[0] ?? '') : [],
    ...sorted(behind.slice(hasCommands ? 1 : 0)),
  };
}

/** "  term  text" under a heading; lines that stand further in go on with the text. */
function entries(list: string): readonly Entry[] {
  const found: Entry[] = [];
  for (const line of list.split('\n').slice(1)) {
    const [, term, text = ''] = /^ {2}(\S.*?)(?: {2,}(.*))?$/.exec(line) ?? [];
    const last = found.at(-1);
    if (term !== undefined) found.push({ term, text });
    else if (last !== undefined) found.splice(-1, 1, { ...last, text: `${last.text} ${line.trim()}`.trim() });
  }
  return found;
}

function sorted(paragraphs: readonly string[]): Pick<Help, 'notes' | 'examples' | 'exitCodes'> {
  const notes: string[][] = [];
  const examples: string[] = [];
  const exitCodes: Entry[] = [];
  for (const paragraph of paragraphs) {
    const [before = '', after] = paragraph.split(/(?<=^|\s)Examples:\n/);
    examples.push(...(after?.split('\n').map((line) => line.trim()) ?? []));
    const lines = before.split('\n').filter((line) => line.trim() !== '');
    exitCodes.push(...lines.flatMap(codesOf));
    const others = lines.filter((line) => codesOf(line).length === 0);
    if (others.length > 0) notes.push(others);
  }
  return { notes, examples, exitCodes };
}

/** "Exit codes: 0 done, 1 failed." */
function codesOf(line: string): readonly Entry[] {
  const [, list] = /^Exit codes: (.*)\.$/.exec(line) ?? [];
  return (list?.split(', ') ?? []).map((each) => {
    const [term = '', ...words] = each.split(' ');
    return { term, text: words.join(' ') };
  });
}

/** "term  text" as it stands in a note, which is how our own words list things. */
export function definitionOf(line: string): Entry | null {
  const [, term, text] = /^ {0,2}(\S.*?) {2,}(\S.*)$/.exec(line) ?? [];
  return term === undefined || text === undefined ? null : { term, text };
}
