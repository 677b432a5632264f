/** A LAN and a guest between which broadcasts are relayed. The guest may be a pattern: "vmtap*". */
export interface DesiredPair {
  readonly lan: string;
  readonly guest: string;
}
