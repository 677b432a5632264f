import type { Guest } from '../domain/guest';
import { arc, vm, worldOf } from '../testing/worlds';
import { stopArc } from './stop-arc';
import { stopVm } from './stop-vm';

const VM = arc();
const CONTAINER = { ...VM, container: { inode: 4711, startTime: '1' } };

const worldWith = (...guests: readonly Guest[]) =>
  worldOf([], [vm('termina', 'vmtap0'), { ...vm('plugin', 'vmtap1'), id: '9' }, ...guests]);

/** Who is left, or why nobody goes. What the kernel refuses to take away keeps no guest. */
function outcomeOf(stopped: ReturnType<typeof stopArc>): readonly string[] | string {
  if (!stopped.ok) return stopped.reason;
  expect(stopped.value.goOn).toBe(true);
  return [...stopped.value.world.guests.keys()];
}

const VMS = ['termina/5', 'plugin/9'];

test.each([
  { name: 'a VM by its cid', running: [VM], ask: 'vm', id: VM.id, want: VMS },
  { name: 'a VM by another cid', running: [VM], ask: 'vm', id: VM.id + 1, want: 'NotFound' },
  { name: 'a VM as a container', running: [VM], ask: 'container', id: VM.id, want: 'NotFound' },
  { name: 'a container, whatever pid is named', running: [CONTAINER], ask: 'container', id: 1, want: VMS },
  { name: 'a container as a VM', running: [CONTAINER], ask: 'vm', id: CONTAINER.id, want: 'NotFound' },
  { name: 'nothing, as a VM', running: [], ask: 'vm', id: VM.id, want: 'NotFound' },
  { name: 'nothing, as a container', running: [], ask: 'container', id: VM.id, want: 'NotFound' },
] as const)('ARC is stopped: $name', ({ running, ask, id, want }) => {
  expect(outcomeOf(stopArc(worldWith(...running), ask, id))).toEqual(want);
});

test.each([
  { name: 'one that runs', kind: 'termina', id: '5', want: ['plugin/9'] },
  { name: 'one of another kind', kind: 'plugin', id: '9', want: ['termina/5'] },
  { name: 'the id of another kind', kind: 'plugin', id: '5', want: 'NotFound' },
  { name: 'an unknown id', kind: 'termina', id: '6', want: 'NotFound' },
] as const)('a VM is stopped: $name', ({ kind, id, want }) => {
  expect(outcomeOf(stopVm(worldWith(), kind, id))).toEqual(want);
});
