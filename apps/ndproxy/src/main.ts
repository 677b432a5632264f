/**
 * Theory of operation. Packet sockets on the members of a group give neighbour discovery frames, netlink gives interfaces and their
 * addresses; the pure core (core/group.ts) decides, and its actions go out by the same sockets. In route mode the kernel forwards
 * the data: each guest that was heard gets a /128 route, and an nft rule keeps the kernel from routing neighbour discovery itself.
 * Nothing that comes in on a segment is trusted, and nobody there can make this process remember more than fixed bounds.
 */
import { controlCall, runControl, runDaemon } from '@pp/daemon';
import { SPEC } from './config';
import { CONTROL_COMMANDS, controlQuestion } from './control/request';
import { wire } from './wiring';

const call = controlCall(CONTROL_COMMANDS, process.argv.slice(2));
void (call === undefined ? runDaemon(SPEC, wire) : runControl(SPEC.name, call, controlQuestion));
