import { labForEach, labTest, program, type StandardLab } from '@pp/lab';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/*
 * What a module of node takes stays with a daemon for weeks: node's sockets and streams, which our own take the place of, some 2 MB.
 */

let lab: StandardLab;
labForEach((opened) => (lab = opened));

/** Says at its end which modules the program has loaded. */
const TELLING = `process.on('exit', () =>
  require('node:fs').writeFileSync('/run/lab/modules', process.moduleLoadList.join('\\n')));`;

const HEAVY = [
  'assert',
  'child_process',
  'cluster',
  'crypto',
  'http',
  'net',
  'stream',
  'v8',
  'worker_threads',
];

const rows = [
  { name: 'ndproxy', in: ['eth0', 'vg0'] },
  { name: 'mcastfwd', in: ['eth0', 'vg0'] },
  { name: 'bcast-fwd', in: ['eth0', 'vg0'] },
];

for (const { name, in: args } of rows)
  labTest(`${name} serves, and answers, without node's heavy modules`, async () => {
    const { host } = lab;
    writeFileSync(join(host.shared, 'telling.cjs'), TELLING);
    const state = ['--state-dir', '/run/lab/state'];
    const service = host.spawn(program(name), [...args, ...state], {
      env: { NODE_OPTIONS: '--require=/run/lab/telling.cjs' },
    });
    await service.line('log line "ready"', (line) => (line.includes('ready') ? true : undefined));
    expect(JSON.parse(await host.ok(program(name), ['status', '--json', ...state]))).toMatchObject({
      name,
    });
    await service.stop();
    const loaded = readFileSync(join(host.shared, 'modules'), 'utf8').split('\n');
    expect(loaded).toContain('NativeModule fs');
    expect(HEAVY.filter((module) => loaded.includes(`NativeModule ${module}`))).toEqual([]);
  });
