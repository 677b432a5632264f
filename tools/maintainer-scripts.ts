/** What dpkg runs on the host before and after it changes files, by name; each is a shell script. */
export type MaintainerScripts = Readonly<Record<string, string>>;

/**
 * The scripts of a package with a systemd unit: nothing is started or enabled by an installation; an upgrade restarts what runs, a removal
 * stops it. `user`: whom the unit runs as, if not as root. `undo`: commands for root before a removal, while the service may still run.
 */
export const maintainerScripts = (
  app: string,
  { user, undo = [] }: { readonly user?: string; readonly undo?: readonly string[] },
): MaintainerScripts => ({
  postinst: script([
    ...(user === undefined
      ? []
      : [`if command -v systemd-sysusers > /dev/null; then systemd-sysusers ${app}.conf; fi`]),
    'if test -d /run/systemd/system; then',
    ...(user === undefined
      ? []
      : ['  # The bus looks users up when it reads its policies.', '  systemctl reload dbus || :']),
    '  systemctl daemon-reload || :',
    `  if test -n "$2"; then systemctl try-restart ${app}.service || :; fi # an upgrade from release $2`,
    'fi',
  ]),
  prerm: script([
    'if test "$1" = remove && test -d /run/systemd/system; then',
    ...undo.map((line) => `  ${line}`),
    `  systemctl disable --now ${app}.service || :`,
    'fi',
  ]),
  postrm: script(['if test -d /run/systemd/system; then systemctl daemon-reload || :; fi']),
});

const script = (lines: readonly string[]): string => ['#!/bin/sh', 'set -e', ...lines, ''].join('\n');

const JOURNAL = '/run/patchpanel/journal';
const OVERRIDE = '/run/systemd/system/patchpanel-manager.service.d';

/** The unit keeps guests for the next start, which never comes: where there are any, the manager runs once more and its end leaves nothing. */
export const LEAVE_NOTHING: readonly string[] = [
  `if test -s ${JOURNAL}; then`,
  `  mkdir -p ${OVERRIDE}`,
  `  printf '[Service]\\nExecStart=\\nExecStart=/usr/sbin/patchpanel-manager --helpers none --on-exit clean\\n' > ${OVERRIDE}/removal.conf`,
  '  systemctl daemon-reload || :',
  '  systemctl restart patchpanel-manager.service && systemctl stop patchpanel-manager.service || :',
  `  rm ${OVERRIDE}/removal.conf && rmdir --ignore-fail-on-non-empty ${OVERRIDE}`,
  'fi',
];
