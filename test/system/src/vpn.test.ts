import { seconds } from '@pp/base';
import {
  labMissing,
  labTest,
  pings,
  SESSION_MISSING,
  startTermina,
  until,
  type Guest,
  type Place,
} from '@pp/lab';
import { FAR, SESSION, VPNS, VpnRig } from './vpn-rig';
