/** What dpkg runs on the host before and after it changes files, by name; each is a shell script. */
export type MaintainerScripts = Readonly<Record<string, string>>;

/**
 * The scripts of a package with a systemd unit: nothing is started or enabled by an installation; an upgrade restarts what runs, a removal
 * stops it, a purge takes its directories away. `user`: whom the unit runs as, if not as root. `runtime` and `state`: its directories below
 * /run and /var/lib. `undo`: commands for root before a removal, while the service may still run.
 */
export const maintainerScripts = (
  app: string,
  { user, runtime, state, undo = [] }: UnitFacts,
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
  postrm: script([
    'if test -d /run/systemd/system; then systemctl daemon-reload || :; fi',
    ...(runtime === undefined ? [] : forget(runtime)),
    ...(state === undefined ? [] : [`if test "$1" = purge; then rm -rf /var/lib/${state}; fi`]),
  ]),
});

interface UnitFacts {
  readonly user?: string;
  readonly runtime?: string;
  readonly state?: string;
  readonly undo?: readonly string[];
}

/** Directories in it are those of other services. */
const forget = (runtime: string): readonly string[] => [
  `if test "$1" = purge && test -d /run/${runtime}; then`,
  `  find /run/${runtime} -maxdepth 1 ! -type d -delete`,
  `  cd /run && rmdir --parents --ignore-fail-on-non-empty ${runtime}`,
  'fi',
];

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
