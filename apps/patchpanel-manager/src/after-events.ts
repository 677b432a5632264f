/**
 * Gives what runs tasks, in their order, after the events that are at hand: those of one turn together, because each call of `schedule`
 * (setImmediate) costs more than most of them.
 */
export function afterEvents(schedule: (run: () => void) => unknown): (task: () => void) => void {
  let tasks: (() => void)[] = []; // BOUNDED: run before the loop's next turn
  const run = (): void => {
    const due = tasks;
    tasks = [];
    for (const task of due) task();
  };
  return (task) => {
    if (tasks.push(task) === 1) schedule(run);
  };
}
