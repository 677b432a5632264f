/** The same rows on the fake kernel and on Linux. */
import { existsSync } from 'node:fs';
import { FakeKernel } from '@pp/datapath/testing';
import { describeOnKernel } from '@pp/netlink/testing';
import { CONTRACT_HOST, KERNEL_ROWS, runRow, TestHost } from './testing';
import type { KernelRow } from './testing';

const wanted = ({ want, seen }: KernelRow, got: { readonly seen: readonly string[] }): unknown => ({
  given: [],
  outcomes: want,
  seen: seen?.toSorted() ?? got.seen,
});

describe('the fake kernel', () => {
  test.each(KERNEL_ROWS)('$name', async (row) => {
    const got = await runRow(new FakeKernel(CONTRACT_HOST), row);
    expect(got).toEqual(wanted(row, got));
  });
});

/** What of the link that is not ours could be ours to spoil; its operational state comes late by itself. */
function untouched(host: TestHost): unknown {
  const [{ ifindex, mtu, group, address, master, ifalias }] = JSON.parse(host.ip('-j link show eth0')) as [
    Record<string, unknown>,
  ];
  return { ifindex, mtu, group, address, master, ifalias };
}

describeOnKernel('Linux', (native) => {
  for (const row of KERNEL_ROWS) {
    const missing = row.tap && !existsSync('/dev/net/tun') ? ' (needs /dev/net/tun)' : '';
    (missing === '' ? test : test.skip)(`${row.name}${missing}`, async () => {
      const host = new TestHost(native);
      try {
        host.ip('link add eth0 type veth peer name eth0peer');
        host.ip('link set eth0 up');
        host.ip('link set eth0peer up');
        host.ip('address add 192.0.2.10/24 dev eth0');
        const before = untouched(host);
        const got = await runRow(host.kernel, row);
        expect(got).toEqual(wanted(row, got));
        expect(untouched(host)).toEqual(before);
      } finally {
        host.close();
      }
    });
  }
});
