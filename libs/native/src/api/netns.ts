/** Network namespaces; fds are of nsfs files. */
export interface NetnsNative {
  /** By pid: /proc/PID/ns/net. By path: checked to be a network namespace (NS_GET_NSTYPE). */
  openNetns(of: { readonly pid: number } | { readonly path: string } | 'current'): number;
  /** A new network namespace, made on a thread of its own: the caller's is never left. */
  createNetns(): number;
  /** Bind-mounts the namespace on `path` (made as an empty file; mount propagation as iproute2 does for /run/netns). */
  nameNetns(fd: number, path: string): void;
  /** Lazy unmount and unlink. */
  unnameNetns(path: string): void;
  /** Runs `inside` in the namespace on this thread and comes back, also when it throws. `inside` must not await. */
  runInNetns<T>(fd: number, inside: () => T): T;
}
