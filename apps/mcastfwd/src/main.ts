/**
 * Theory of operation. A UDP socket for each group on each interface, bound to the group's address, hears what is sent to the group there
 * and leaves unicast to other programs. The pure core (core/relay.ts) decides: bytes go on as they came, from this host's own address on
 * the next link, with edits in place where an address or a flag must change; only a changed length makes a message be written anew.
 * Questions from a port of their own go out from a port for that searcher, and the answers to it go back. Netlink tells of interfaces,
 * the manager (or the command line) of who is joined with whom. Nothing that comes in is trusted: names, counts and pointers are checked
 * before anything is passed on, and nobody can make this process remember more than fixed bounds.
 */
import { controlCall, runControl, runDaemon } from '@pp/daemon';
import { commandQuestion, COMMANDS } from './commands';
import { SPEC } from './config';
import { wire } from './wiring';

const call = controlCall(COMMANDS, process.argv.slice(2));
void (call === undefined ? runDaemon(SPEC, wire) : runControl(SPEC.name, call, commandQuestion));
