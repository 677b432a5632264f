/*
 * What a packet costs in the counters' table is the rules that it passes and one look into each of two sets, whose elements cost the same at
 * any number. So the rules that the kernel says a packet passed (nft's trace) must be the same ones with one device and with a thousand.
 */
import {
  eventOf,
  labTest,
  program,
  standardLab,
  STANDARD,
  STATE_INSIDE,
  until,
  type Child,
  type Host,
} from '@pp/lab';

const DEVICES = 1000;
const { internet } = STANDARD;
const TABLE = 'inet patchpanel_counters';

labTest(`a packet passes the same rules of the counters with ${DEVICES} devices as with one`, async () => {
  const lab = await standardLab();
  try {
    const { host } = lab;
    await traceEchoes(host);
    const one = await startCounters(host, []);
    const alone = { passed: await rulesPassed(host), rules: await ruleCount(host) };
    await one.stop();
    const names = Array.from({ length: DEVICES - 1 }, (_, n) => `dev${n}`);
    const many = await startCounters(host, names);
    await fill(host, names);
    const crowded = { passed: await rulesPassed(host), rules: await ruleCount(host) };
    expect(await elementCount(host)).toBeGreaterThanOrEqual(DEVICES);
    expect(alone.passed.join('\n')).toContain('update @uplink_'); // else it was not our table that was traced
    expect(crowded).toEqual(alone);
    await many.stop();
  } finally {
    await lab.close();
  }
});

async function startCounters(host: Host, more: readonly string[]): Promise<Child> {
  const args = ['--state-dir', STATE_INSIDE, '--log-format', 'json', 'eth0', ...more];
  const child = host.spawn(program('counters'), args);
  await child.line('log line "ready"', (line) => (eventOf(line) === 'ready' ? true : undefined));
  return child;
}

/** As if each of them had had a packet already. */
async function fill(host: Host, names: readonly string[]): Promise<void> {
  const sets = await setNames(host);
  const elements = names.map((name) => `"${name}" . 0 . ipv4`).join(', ');
  const lines = sets.map((set) => `add element ${TABLE} ${set} { ${elements} }`);
  await host.ok('nft', ['-f', '-'], { input: lines.join('\n') });
}

async function setNames(host: Host): Promise<readonly string[]> {
  const listing = await host.ok('nft', ['-t', 'list', 'table', ...TABLE.split(' ')]);
  return [...listing.matchAll(/set (uplink_\S+) /g)].map(([, name = '']) => name);
}

async function elementCount(host: Host): Promise<number> {
  const [set = ''] = await setNames(host);
  const listing = await host.ok('nft', ['list', 'set', ...TABLE.split(' '), set]);
  return [...listing.matchAll(/counter packets/g)].length;
}

/** Out and in, in a table of its own that comes before all others. */
async function traceEchoes(host: Host): Promise<void> {
  const rule = (address: string, type: string): string =>
    `ip ${address} ${internet.v4} icmp type ${type} meta nftrace set 1`;
  await host.ok('nft', ['-f', '-'], {
    input: `table inet trace {
      chain out { type filter hook output priority -500; ${rule('daddr', 'echo-request')}; }
      chain in { type filter hook prerouting priority -500; ${rule('saddr', 'echo-reply')}; }
    }\n`,
  });
}

/** Rules of our table that echoes there and back passed, each once; the name of the run is left out. */
async function rulesPassed(host: Host): Promise<readonly string[]> {
  const monitor = host.spawn('nft', ['monitor', 'trace']);
  try {
    return await until('echoes are traced there and back', async () => {
      await host.ok('ping', ['-n', '-c', '1', '-W', '2', internet.v4]);
      const lines = [
        ...wholeTraces(monitor.stdout).matchAll(/^trace id \w+ inet patchpanel_counters (.* rule .*)$/gm),
      ];
      const passed = [
        ...new Set(lines.map(([, rule = '']) => rule.replace(/_[0-9a-f]{8}_\d+/, '_RUN'))),
      ].sort();
      return ['rx', 'tx'].every((chain) => passed.some((rule) => rule.startsWith(`${chain} `)))
        ? passed
        : undefined;
    });
  } finally {
    await monitor.stop();
  }
}

/** Without what is told of the last packet: there may be more to come. */
function wholeTraces(text: string): string {
  const last = [...text.matchAll(/^trace id \w+ inet trace \w+ packet: /gm)].at(-1);
  return text.slice(0, last?.index ?? 0);
}

async function ruleCount(host: Host): Promise<number> {
  const listing = (await host.json('nft', '-j', 'list', 'ruleset')) as {
    readonly nftables: readonly object[];
  };
  return listing.nftables.filter((object) => 'rule' in object).length;
}
