import { adbProxyFigure } from './figures/adb-proxy';
import { bcastFigure } from './figures/bcast-fwd';
import { connectFigure } from './figures/connect';
import { countersFigure } from './figures/counters';
import { enduranceFigure } from './figures/endurance';
import type { Figure } from './figures/figure';
import { guestsFigure } from './figures/guests';
import { guestsEnduranceFigure } from './figures/guests-endurance';
import { mcastfwdFigure } from './figures/mcastfwd';
import { ndproxyFigure } from './figures/ndproxy';
import { ndproxyBridgeFigure } from './figures/ndproxy-bridge';
import { poolFigure } from './figures/pool';
import { portsFigure } from './figures/ports';
import { releaseFigure } from './figures/release';
import { startFigure } from './figures/start';
import { survivalFigure } from './figures/survival';
import { tapFigure } from './figures/tap';
import { trafficFigure } from './figures/traffic';

/** All that is measured, in the order of the table. */
export const FIGURES: readonly Figure[] = [
  connectFigure,
  poolFigure,
  releaseFigure,
  guestsFigure,
  portsFigure,
  trafficFigure,
  tapFigure,
  startFigure,
  enduranceFigure,
  guestsEnduranceFigure,
  survivalFigure,
  ndproxyFigure,
  ndproxyBridgeFigure,
  mcastfwdFigure,
  adbProxyFigure,
  bcastFigure,
  countersFigure,
];
