/** What to do where the kernel refuses, by that errno, to make or write a file in the state directory. */
export function stateDirAdvice(code: string, directory: string): string {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'run it as root or use another --state-dir';
    case 'ENOSPC':
    case 'EDQUOT':
      return `make room in ${directory} or use another --state-dir`;
    default:
      return 'use another --state-dir';
  }
}
