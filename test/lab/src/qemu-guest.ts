import { seconds } from '@pp/base';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemPath } from './child';
import type { Place } from './place';

/*
 * A real VM on a TAP: QEMU without KVM, a Debian cloud kernel, and busybox as its whole system. The kernel is looked for in / and where
 * `tools/run test` unpacks its package.
 */

const KERNEL_ROOTS = ['/', join(homedir(), '.cache', 'patchpanel', 'cloud-kernel')];
const QEMU = 'qemu-system-x86_64';
/** In the order of their dependencies. */
const MODULES = [
  ...['virtio/virtio_ring', 'virtio/virtio', 'virtio/virtio_pci_modern_dev', 'virtio/virtio_pci_legacy_dev'],
  ...['virtio/virtio_pci', '../net/core/failover', 'net/net_failover', 'net/virtio_net'],
];

interface Kernel {
  readonly image: string;
  /** kernel/ of its modules. */
  readonly modules: string;
}

/** Why no VM can be started here, in words; undefined where one can. */
export function qemuMissing(): string | undefined {
  const absent = [
    ...[QEMU, 'busybox'].filter((command) => commandPath(command) === undefined),
    ...(findKernel() === undefined ? ['a Debian cloud kernel (linux-image-cloud-amd64)'] : []),
  ];
  return absent.length === 0 ? undefined : absent.join(', ');
}

/** Boots a VM on `tap` with `script` as its only job, and returns what it printed when it has powered off. */
export async function runInVm(place: Place, tap: string, mac: string, script: string): Promise<string> {
  const kernel = findKernel();
  if (kernel === undefined) throw new Error('no cloud kernel');
  const directory = mkdtempSync(join(tmpdir(), 'pp-vm-'));
  try {
    const initrd = makeInitrd(directory, kernel, script);
    const network = ['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no`];
    const machine = [
      '-machine',
      'q35,accel=tcg',
      '-m',
      '256',
      '-nodefaults',
      '-no-reboot',
      '-display',
      'none',
    ];
    const boot = ['-kernel', kernel.image, '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1'];
    const card = ['-device', `virtio-net-pci,netdev=n0,mac=${mac}`, '-serial', 'stdio'];
    return await place.ok(QEMU, [...machine, ...boot, ...network, ...card], { timeout: seconds(120) });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function makeInitrd(directory: string, { modules }: Kernel, script: string): string {
  const root = join(directory, 'root');
  for (const each of ['bin', 'dev', 'proc', 'sys', 'modules'])
    mkdirSync(join(root, each), { recursive: true });
  copyFileSync(commandPath('busybox') ?? '', join(root, 'bin/busybox'));
  const load = MODULES.map((path, i) => {
    copyFileSync(
      join(modules, path.startsWith('..') ? path.slice(3) : `drivers/${path}`) + '.ko',
      join(root, `modules/${i}.ko`),
    );
    return `insmod /modules/${i}.ko`;
  });
  const init = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys
${load.join('\n')}
${script}
poweroff -f
`;
  writeFileSync(join(root, 'init'), init, { mode: 0o755 });
  const initrd = join(directory, 'initrd');
  execFileSync('sh', ['-euc', 'cd "$1"; find . | busybox cpio -o -H newc > "$2"', 'sh', root, initrd], {
    stdio: 'pipe',
  });
  return initrd;
}

function findKernel(): Kernel | undefined {
  for (const root of KERNEL_ROOTS) {
    const boot = join(root, 'boot');
    const image = existsSync(boot)
      ? readdirSync(boot).find((name) => /^vmlinuz-.*-cloud-amd64$/.test(name))
      : undefined;
    const modules = join(root, 'lib/modules', (image ?? '').replace('vmlinuz-', ''), 'kernel');
    if (image !== undefined && existsSync(modules)) return { image: join(boot, image), modules };
  }
  return undefined;
}

function commandPath(name: string): string | undefined {
  return systemPath()
    .split(':')
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}
