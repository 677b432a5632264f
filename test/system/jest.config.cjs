module.exports = { ...require('../../jest.preset.cjs'), setupFilesAfterEnv: [require.resolve('./retry.cjs')] };
