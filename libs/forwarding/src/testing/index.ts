export { FakeManagerBus, pair, settled } from './fake-manager-bus';
