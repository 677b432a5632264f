/**
 * Theory of operation. Packet sockets on the LAN and on guests' interfaces give UDP broadcasts, netlink gives interfaces and their
 * addresses; the pure core (core/relay.ts) decides, and its copies go out by the same sockets. Towards guests the sender is kept;
 * towards the LAN it is this host, on a UDP port that is held for a while, so that answers find their way back to the guest (sessions.ts).
 * Nothing that comes in is trusted: what is malformed, not from the link, too much, or our own come back is counted and dropped, and
 * nobody can make this process remember more than fixed bounds. It leaves nothing in the kernel but its sockets.
 */
import { controlCall, runControl, runDaemon } from '@pp/daemon';
import { SPEC } from './config';
import { CONTROL_COMMANDS, traceQuestion } from './control/trace';
import { wire } from './wiring';

const call = controlCall(CONTROL_COMMANDS, process.argv.slice(2));
void (call === undefined
  ? runDaemon(SPEC, wire)
  : runControl(SPEC.name, call, (_trace, words) => traceQuestion(words)));
