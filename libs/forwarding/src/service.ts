/** Where the manager's inner interface is (proto/forwarding.proto). */
export const SERVICE = 'org.chromium.PatchPanel';
export const FORWARDING = {
  path: '/org/chromium/PatchPanel',
  interface: 'org.chromium.PatchPanel.Forwarding1',
} as const;
