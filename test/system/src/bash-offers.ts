/** Arguments of bash, which then prints what a completion offers for the last of the words; readline takes `=` and `:` for words too. */
export const offersOf = (completion: string, words: readonly [string, ...string[]]): string[] => [
  '--norc',
  '-uec',
  `${completion}
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
call=$(complete -p "\${1##*/}" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
$call "$1"
printf '%s\\n' "\${COMPREPLY[@]}"`,
  'bash',
  ...words,
];

/** What it has printed. */
export const wordsIn = (printed: string): readonly string[] =>
  printed.split('\n').filter((word) => word !== '');
