/** One jest configuration for all: a project's jest.config.cjs is `module.exports = require('../../jest.preset.cjs');`. */
module.exports = {
  testEnvironment: 'node',
  // What waits for a process or the kernel gives up by itself after 20 s and says what for; jest's own 5 s are a busy machine's.
  testTimeout: 60_000,
  passWithNoTests: true,
  testMatch: ['**/src/**/*.test.ts'],
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  transform: { '^.+\\.ts$': require.resolve('./tools/jest-transform.cjs') },
};
