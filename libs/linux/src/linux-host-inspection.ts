import { execFile } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { KernelError } from '@pp/base';
import type { Clock, Logger } from '@pp/base';
import type { Native } from '@pp/native';
import { NetlinkClient, netlinkIn } from '@pp/netlink';
import type { HostInspection, InspectedNetwork } from '@pp/ports';
import { tryDatapath } from './datapath-trial';
import { isSystemError, kernelErrorOf } from './errors';
import { networkSubject } from './foreign-rules';
import { hostNetns, type InHost } from './host-netns';
import { isOurs } from './is-ours';
import { viewOf } from './network-view';
import { errnoIn, SYSTEM_PATH } from './nft-runner';
import { SysctlFiles } from './sysctl-files';

export interface LinuxHostInspectionOptions {
  readonly native: Native;
  readonly log: Logger;
  readonly clock: Clock;
  /** Namespace to look at; default: the process's own. */
  readonly netnsFd?: number;
}

const MAX_TEXT_BYTES = 1024 * 1024;
/** A host of thousands of containers has some 10 MiB. */
const MAX_RULESET_BYTES = 64 * 1024 * 1024;
const NFT_DEADLINE_MS = 10_000;

/** By files, rtnetlink and nft(8). Only `tryDatapath` makes anything, in a network namespace of its own. */
export class LinuxHostInspection implements HostInspection {
  readonly #options: LinuxHostInspectionOptions;
  readonly #inHost: InHost;
  readonly #sysctls: SysctlFiles;
  readonly #route: NetlinkClient;

  constructor(options: LinuxHostInspectionOptions) {
    const { native, netnsFd } = options;
    this.#options = options;
    this.#inHost = hostNetns(native, netnsFd);
    this.#sysctls = new SysctlFiles(this.#inHost);
    this.#route = new NetlinkClient(netlinkIn(native, 'route', netnsFd));
  }

  text(path: string): string | null {
    return orNull(() => this.#inHost(() => startOf(path)));
  }

  names(directory: string): readonly string[] {
    return orNull(() => readdirSync(directory).sort()) ?? [];
  }

  sysctl(key: string): string | null {
    return this.#sysctls.read(key);
  }

  openFault(path: string): string | null {
    try {
      closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
      return null;
    } catch (error) {
      if (isSystemError(error)) return error.code;
      throw error;
    }
  }

  async network(): Promise<InspectedNetwork> {
    const snapshot = await networkSubject().snapshot(this.#route);
    const own = snapshot.links.filter(isOurs).map(({ ifname, ifindex }) => ({ ifname, ifindex }));
    return { view: viewOf(snapshot), own };
  }

  ruleset(): Promise<string> {
    const request = 'nft -j list ruleset';
    const options = {
      maxBuffer: MAX_RULESET_BYTES,
      timeout: NFT_DEADLINE_MS,
      env: { PATH: SYSTEM_PATH, LC_ALL: 'C' },
    };
    return new Promise((resolve, reject) => {
      this.#inHost(() =>
        execFile('nft', ['-j', 'list', 'ruleset'], options, (fault, stdout, stderr) => {
          if (fault === null) resolve(stdout);
          else reject(refusal(fault, stderr, request));
        }),
      );
    });
  }

  tryDatapath(): Promise<string | null> {
    const { native, log, clock } = this.#options;
    return tryDatapath({ native, log, clock, taps: this.openFault('/dev/net/tun') === null });
  }

  close(): void {
    this.#route.close();
  }
}

/** Only the start: a file of /proc says nothing of its length. */
function startOf(path: string): string {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_TEXT_BYTES);
    let length = 0;
    for (let got = -1; got !== 0 && length < bytes.length; length += got)
      got = readSync(fd, bytes, length, bytes.length - length, null);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(fd);
  }
}

function orNull<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (isSystemError(error)) return null;
    throw error;
  }
}

/** nft's own exit code is a number; what node says of a program that does not start is an errno. */
function refusal(fault: Error, stderr: string, request: string): KernelError {
  if (isSystemError(fault)) return kernelErrorOf(fault, request);
  const [line = ''] = stderr.split('\n');
  return new KernelError(errnoIn(line), request, line, { cause: fault });
}
