/** Words for rows of faults. */
import type { HostScript } from '@pp/ports/testing';
import type { Finding } from '../finding';
import type { FaultRow, Setting } from './fault-row';

export const problem = (name: string, found: string, advice: string): Finding => ({
  level: 'problem',
  name,
  found,
  advice,
});
export const warning = (name: string, found: string, advice: string): Finding => ({
  ...problem(name, found, advice),
  level: 'warning',
});

export const onHost =
  (change: (host: HostScript) => Partial<HostScript>) =>
  (setting: Setting): Setting => ({ ...setting, host: { ...setting.host, ...change(setting.host) } });

export const withFiles = (files: Readonly<Record<string, string>>): FaultRow['change'] =>
  onHost((host) => ({ files: { ...host.files, ...files } }));

export const withSysctl = (key: string, value: string): FaultRow['change'] =>
  onHost((host) => ({ sysctls: { ...host.sysctls, [key]: value } }));
