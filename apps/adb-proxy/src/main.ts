/**
 * Theory of operation. TCP connections come in by gates: at the addresses of the command line or, following the manager, at loopback and
 * at the host's addresses on links to Linux VMs, while Android runs and ADB is allowed. Each is counted against the limits, led to the
 * first target that answers, and from then on the kernel moves its bytes (splice); nothing of them is read here. Nobody is trusted: a
 * gate that can be reached from outside lets in the sources of --from only, and a gate at a VM's link hears that link only.
 */
import { runDaemon } from '@pp/daemon';
import { SPEC } from './config';
import { wire } from './wiring';

void runDaemon(SPEC, wire);
