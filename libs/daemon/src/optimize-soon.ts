import type { MemoryNative } from '@pp/native';

/**
 * V8 optimizes a function when it has run so many bytes of bytecode; 67,584 by itself. A relay hears packets singly, and what runs once for
 * each of them would stay unoptimized for thousands: 13 µs of a packet's 107. Less gains little more, and takes memory. For the start of a
 * process whose latency matters.
 */
export function optimizeSoon(native: MemoryNative): void {
  native.setV8Flags('--interrupt-budget=20000');
}
