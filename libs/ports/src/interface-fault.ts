import { KernelError } from '@pp/base';

const CODES = new Set(['ENODEV', 'ENXIO', 'ENETDOWN', 'ENETUNREACH', 'ENOBUFS', 'EAGAIN']);

/** About the interface, not what was to be sent or opened: it goes, is down, or is busy; news of it come by netlink. */
export const isInterfaceFault = (fault: unknown): fault is KernelError =>
  fault instanceof KernelError && CODES.has(fault.code);
