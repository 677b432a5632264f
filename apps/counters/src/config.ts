import { accept } from '@pp/base';
import { VERSION, type ServiceSpec } from '@pp/daemon';

/** Nothing but what every service takes. */
export const SPEC: ServiceSpec<undefined> = {
  name: 'counters',
  version: VERSION,
  description:
    'Counts traffic by source and uplink. In this release only the command line is there: it is checked, and then counters refuses to start.',
  parse: () => accept(undefined),
};
