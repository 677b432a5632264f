/** Traffic counters. */
import { runShell } from '@pp/daemon';
import { SPEC } from './config';

void runShell(
  SPEC,
  'counting is not built yet; this release has patchpanel-manager, ndproxy and patchpanelctl only',
);
