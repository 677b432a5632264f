/** Forwarder of IPv4 broadcasts. */
import { runShell } from '@pp/daemon';
import { SPEC } from './config';

void runShell(
  SPEC,
  'forwarding is not built yet; this release has patchpanel-manager, ndproxy and patchpanelctl only',
);
