import { accept, refuse, type Checked } from '@pp/base';
import { VERSION, type RawArgs, type ServiceSpec } from '@pp/daemon';
import { checkedEndpoint, checkedTarget, type Endpoint, type Target } from './endpoint';

export interface Config {
  /** Undefined: follow the manager. */
  readonly relay: { readonly listen: Endpoint; readonly connect: readonly Target[] } | undefined;
}

const LISTEN_EXAMPLE = '--listen 127.0.0.1:5555';
const CONNECT_EXAMPLE = '--connect unix:/run/arc/adb/adb.sock';

export const SPEC: ServiceSpec<Config> = {
  name: 'adb-proxy',
  version: VERSION,
  description:
    'Relays ADB over TCP to a guest. In this release only the command line is there: it is checked, and then adb-proxy refuses to start.',
  options: [
    { flags: '--listen <ADDR:PORT>', text: 'where adb connects; IPv6 in brackets' },
    {
      flags: '--connect <TARGET>',
      text: 'unix:PATH, vsock:CID:PORT or tcp:ADDR:PORT; repeated: tried in order',
      repeat: true,
    },
  ],
  notes: `Without --listen and --connect the manager says what to relay.

Example:
  adb-proxy ${LISTEN_EXAMPLE} --connect vsock:5:5555 --connect tcp:100.115.92.2:5555`,
  parse,
};

function parse(raw: RawArgs): Checked<Config> {
  const from = raw.one('listen');
  const to = raw.all('connect');
  if (from === undefined && to.length === 0) return accept({ relay: undefined });
  if (from === undefined)
    return refuse('InvalidArgument', `--connect needs --listen too; write for example ${LISTEN_EXAMPLE}`);
  if (to.length === 0)
    return refuse('InvalidArgument', `--listen needs --connect too; write for example ${CONNECT_EXAMPLE}`);
  const listen = checkedEndpoint(from);
  if (!listen.ok)
    return refuse(listen.reason, `--listen ${listen.sentence}; write for example ${LISTEN_EXAMPLE}`);
  const connect: Target[] = [];
  for (const text of to) {
    const target = checkedTarget(text);
    if (!target.ok)
      return refuse(target.reason, `--connect ${target.sentence}; write for example ${CONNECT_EXAMPLE}`);
    connect.push(target.value);
  }
  return accept({ relay: { listen: listen.value, connect } });
}
