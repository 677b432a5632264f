import type { Child } from './child';
import type { Host } from './host';
import { program } from './manager';

/** What `patchpanelctl connect --json` says first. */
export interface ConnectedNamespace {
  readonly netns_name: string;
  readonly host_ifname: string;
  readonly peer_ifname: string;
  readonly host_ipv4_address: string;
  readonly peer_ipv4_address: string;
  /** Base address and prefix length. */
  readonly ipv4_subnet: string;
}

export interface Connection {
  readonly namespace: ConnectedNamespace;
  /** The patchpanelctl that holds the lifeline: when it ends, so does the connection. */
  readonly client: Child;
}

/** `patchpanelctl connect --json ARGS` on `host`, up to its answer. */
export async function connect(host: Host, args: readonly string[]): Promise<Connection> {
  const client = host.spawn(program('patchpanelctl'), ['connect', '--json', ...args]);
  const namespace = await client.line('answer in JSON', connectedNamespace);
  return { namespace, client };
}

const FIELDS = [
  'netns_name',
  'host_ifname',
  'peer_ifname',
  'host_ipv4_address',
  'peer_ipv4_address',
  'ipv4_subnet',
] as const;

/** Checks the shape of the answer; other lines are undefined, an object without one of the fields throws. */
export function connectedNamespace(line: string): ConnectedNamespace | undefined {
  if (!line.startsWith('{')) return undefined;
  const answer = JSON.parse(line) as Partial<ConnectedNamespace>;
  const absent = FIELDS.filter((field) => typeof answer[field] !== 'string' || answer[field] === '');
  if (absent.length > 0)
    throw new Error(`patchpanelctl connect --json said no ${absent.join(', ')}: ${line}`);
  return answer as ConnectedNamespace;
}
