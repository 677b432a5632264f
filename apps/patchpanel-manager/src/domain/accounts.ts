/** The users of `accounts`, the text of /etc/passwd (passwd(5): name, password, uid). */
export function uidsIn(accounts: string): ReadonlyMap<string, number> {
  const uids = new Map<string, number>(); // BOUNDED: by the lines of a file of the host's administrator
  for (const line of accounts.split('\n')) {
    const [name = '', , uid = ''] = line.split(':');
    if (/^\d+$/.test(uid) && !uids.has(name)) uids.set(name, Number(uid));
  }
  return uids;
}
