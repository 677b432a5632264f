/** IPv6 neighbour discovery proxy (RFC 4389). */
import { runShell } from '@pp/daemon';
import { SPEC } from './config';

void runShell(SPEC, 'proxying is not built yet; this release has patchpanel-manager and patchpanelctl only');
