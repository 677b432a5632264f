import { loadNative } from '@pp/native';
import { getHeapSpaceStatistics } from 'node:v8';
import { keepHeapSmall } from '../small-heap';

// Prints the size of the young generation, in bytes, after objects that live for a while: `small` or not.
if (process.argv[2] === 'small') keepHeapSmall(loadNative());
const alive: object[] = []; // BOUNDED: below
for (let n = 0; n < 2_000_000; n++) alive[n % 50_000] = { n };
const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
process.stdout.write(String(young?.space_size));
