import { execFileSync } from 'node:child_process';
import { basename } from 'node:path';
import { parseHelp, type ProgramHelp } from './help-text';

/** Asks a built program for its --help, and that of each of its commands. */
export function readHelp(program: string): ProgramHelp {
  const name = basename(program);
  const help = (...words: string[]) =>
    parseHelp(
      [name, ...words].join(' '),
      execFileSync(program, [...words, '--help'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }),
    );
  const main = help();
  const words = main.commands.map(({ term }) => term.split(' ')[0] ?? '');
  return { name, main, commands: new Map(words.map((word) => [word, help(word)])) };
}
