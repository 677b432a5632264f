export { LinuxKernel, type LinuxKernelOptions } from './linux-kernel';
export { LinuxProcessNetns } from './linux-process-netns';
export { NativeDescriptors } from './native-descriptors';
export { NetlinkNews, type NetlinkNewsOptions } from './netlink-news';
export { SystemClock } from './system-clock';
