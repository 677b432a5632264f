/** One jest configuration for all: a project's jest.config.cjs is `module.exports = require('../../jest.preset.cjs');`. */
module.exports = {
  testEnvironment: 'node',
  passWithNoTests: true,
  testMatch: ['**/src/**/*.test.ts'],
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  transform: { '^.+\\.ts$': require.resolve('./tools/jest-transform.cjs') },
};
