/** Relay of ADB over TCP. */
import { runShell } from '@pp/daemon';
import { SPEC } from './config';

void runShell(
  SPEC,
  'relaying is not built yet; this release has patchpanel-manager, ndproxy and patchpanelctl only',
);
