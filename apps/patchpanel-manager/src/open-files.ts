/** Descriptors that are kept for everything but lifelines. */
const RESERVED = 512;
/** The client's descriptor, its duplicate, and the epoll instance that looks at that (libs/native, watch.c). */
const PER_LIFELINE = 3;
/** The least that a Linux process has; what is unlimited is as many as the kernel can number. */
const [LEAST, UNLIMITED] = [1024, 1_048_576];

/** How many lifelines can be watched at once; `limits` is the text of /proc/self/limits. */
export function mostLifelines(limits: string): number {
  const [, soft] = /^Max open files +(\d+|unlimited) /m.exec(limits) ?? [];
  const files = soft === undefined ? LEAST : soft === 'unlimited' ? UNLIMITED : Number(soft);
  return Math.floor(Math.max(files - RESERVED, files / 2) / PER_LIFELINE);
}
