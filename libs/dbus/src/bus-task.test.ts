import { deferred } from '@pp/base';
import { busTask } from './bus-task';

test('it ends when it is told to', async () => {
  const stop = new AbortController();
  const run = busTask({ closed: new Promise(() => undefined) }).run(stop.signal);
  stop.abort();
  await expect(run).resolves.toBeUndefined();
});

test('it fails with the bus, and says why', async () => {
  const closed = deferred<Error | undefined>();
  const run = busTask({ closed: closed.promise }).run(new AbortController().signal);
  closed.resolve(new Error('the D-Bus system bus ended the connection'));
  await expect(run).rejects.toThrow('the D-Bus system bus ended the connection');
});
