/** Loaded into the manager by NODE_OPTIONS: SIGUSR2 collects all garbage, then writes what node says of its memory to the file BENCH_COLLECTED. */
const { writeFileSync } = require('node:fs');
const v8 = require('node:v8');
const { runInNewContext } = require('node:vm');

v8.setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i++) gc();
  writeFileSync(process.env.BENCH_COLLECTED, JSON.stringify(process.memoryUsage()));
});
