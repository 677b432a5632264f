import { gzipSync } from 'node:zlib';
import { bashCompletion } from './bash-completion';
import type { Entry, Help } from './help-text';
import { manPage } from './man-page';
import { readHelp } from './read-help';

/** What a package knows of its program beside the program. */
export interface PackageFacts {
  readonly summary: string;
  readonly version: string;
  /** Of the sources, in seconds; undefined: nobody knows. */
  readonly epochSec: number | undefined;
  /** What the package brings, by path from the root. */
  readonly files: readonly Entry[];
  /** All programs; those of them that administrators run only are section 8. */
  readonly programs: readonly string[];
}

/** Operators run it too. */
export const sectionOf = (name: string): 1 | 8 => (name === 'patchpanelctl' ? 1 : 8);

/** The manual page and the completion for bash, made from the --help of a built program; by path in the package. */
export function programPages(
  program: string,
  facts: PackageFacts,
): Readonly<Record<string, string | Uint8Array>> {
  const help = readHelp(program);
  const { name, main, commands } = help;
  const section = sectionOf(name);
  const page = manPage(help, {
    ...facts,
    section,
    date: facts.epochSec === undefined ? '' : new Date(facts.epochSec * 1000).toISOString().slice(0, 10),
    files: [...[main, ...commands.values()].flatMap(directories), ...facts.files],
    seeAlso: facts.programs.filter((each) => each !== name).map((each) => `${each}(${sectionOf(each)})`),
  });
  return {
    [`usr/share/man/man${section}/${name}.${section}.gz`]: gzipSync(page, { level: 9 }), // without name and time, as gzip -n
    [`usr/share/bash-completion/completions/${name}`]: bashCompletion(help),
  };
}

/** Directories that options choose, where a path is the default. */
const directories = ({ options }: Help): readonly Entry[] =>
  options.flatMap(({ term, text }) => {
    const [, option] = /^(--\S+) <DIR>$/.exec(term) ?? [];
    const [, does, path] = /^(.*?)(?: \(|; )default: "?(\/[^",)]+)/.exec(text) ?? [];
    return option === undefined || path === undefined
      ? []
      : [{ term: path, text: `${does ?? ''} (${option})` }];
  });
