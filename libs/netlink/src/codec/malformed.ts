/** Bytes that are no netlink. The kernel does not send them; whoever asked gets EBADMSG. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}
