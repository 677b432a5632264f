// Each file has a lab of its own and waits most of the time: as many files at once as there are cores, of which jest would leave one free.
module.exports = { ...require('../../jest.preset.cjs'), maxWorkers: 2 };
