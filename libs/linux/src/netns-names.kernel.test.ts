import { writeFileSync } from 'node:fs';
import { KernelError } from '@pp/base';
import { describeOnKernel } from '@pp/netlink/testing';
import { NetnsNames } from './netns-names';
import { TestHost } from './testing';

describeOnKernel('names of namespaces', (native) => {
  let host: TestHost;

  beforeEach(() => {
    host = new TestHost(native);
  });

  afterEach(() => {
    host.close();
  });

  test.each([
    { name: 'nothing', want: 'ENOENT' },
    { name: 'file', want: 'EINVAL' },
  ])('what is no namespace is refused: $name', ({ name, want }) => {
    writeFileSync(`${host.netnsDirectory}/file`, '');
    const names = new NetnsNames(native, host.netnsDirectory);
    const open = (): number => names.open(name);
    expect(open).toThrow(KernelError);
    expect(open).toThrow(new RegExp(`netns.open ${name}.*${want}`));
    expect(names.has(name)).toBe(false);
  });
});
