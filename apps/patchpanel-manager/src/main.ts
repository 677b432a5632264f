/**
 * Theory of operation. Clients call org.chromium.PatchPanel on the system bus; netlink tells how the host's network changes; lifelines
 * end. Each of these becomes a change of one immutable world, decided by a pure function. What the kernel should look like follows
 * from the world, the difference is planned, journaled and applied, all or nothing, and only then the client is answered. After
 * a crash the next start repairs the kernel from the journal and from the tags that all of our objects carry. Trusted are the
 * bus (who calls) and the kernel (who owns a namespace); every byte of a request is checked.
 */
import { runDaemon } from '@pp/daemon';
import { SERVICE_SPEC } from './config';
import { wire } from './wiring';

void runDaemon(SERVICE_SPEC, (context) => wire(context));
