/** The text on the kernel's own nftables, each time in a network namespace that ends with the command. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TABLE_CASES } from '../testing/shapes';
import { rulesetText, staleChains } from './render';
import { chainNames } from './ruleset';

const missing = whatIsMissing();
const directory = missing === null ? mkdtempSync(join(tmpdir(), 'pp-nft-')) : '';
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const onKernel = missing === null ? test : test.skip;
const why = missing === null ? '' : ` (needs ${missing})`;

function whatIsMissing(): string | null {
  try {
    execFileSync('unshare', ['-n', 'nft', 'list', 'ruleset'], { stdio: 'pipe' });
    return null;
  } catch {
    return 'nft, and a network namespace of its own';
  }
}

/** Loads the texts one after the other and lists the table. */
function listed(texts: readonly string[]): string {
  const files = texts.map((text, i) => {
    const file = join(directory, `${i}.nft`);
    writeFileSync(file, text);
    return file;
  });
  const loads = files.map((file) => `nft -f '${file}'`);
  const script = ['set -e', ...loads, 'nft list table inet patchpanel'].join('\n');
  return execFileSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8' });
}

/** Chains stand in the order in which they came to be; nothing depends on it. */
const sortedChains = (listing: string): readonly string[] =>
  listing
    .split(/\n(?=\tchain )/)
    .map((text) => text.replace(/\n}\n*$/, '').trim())
    .sort();

for (const { name, shape, elements } of TABLE_CASES) {
  const text = rulesetText(shape, elements, []);

  onKernel(`${name} is what nft can read${why}`, () => {
    execFileSync('unshare', ['-n', 'nft', '-c', '-f', '-'], { input: text });
  });

  onKernel(`${name} loaded again and again is the same${why}`, () => {
    const once = listed([text]);
    expect(once).toMatch(/chain guard/);
    expect(listed([text, text, text])).toBe(once);
  });

  for (const former of TABLE_CASES) {
    onKernel(`from ${former.name} to ${name}, under elements${why}`, () => {
      const stale = staleChains(chainNames(former.shape), shape);
      const [before, after] = [
        rulesetText(former.shape, former.elements, []),
        rulesetText(shape, elements, stale),
      ];
      expect(sortedChains(listed([before, after]))).toEqual(sortedChains(listed([text])));
    });
  }
}

onKernel(`deleting chains that are not there is no fault${why}`, () => {
  const [plain] = TABLE_CASES;
  const text = rulesetText(
    plain?.shape ?? { uplinks: [], guestPrefixes: [] },
    [],
    ['egress_to_gone', 'pin_to_gone'],
  );
  expect(listed([text])).not.toMatch(/gone/);
});

onKernel(`counters keep their values${why}`, () => {
  const text = rulesetText({ uplinks: [], guestPrefixes: [] }, [], []);
  const count = 'add rule inet patchpanel input counter name drop_leak\n';
  const files = [text, count].map((content, i) => {
    const file = join(directory, `counting-${i}.nft`);
    writeFileSync(file, content);
    return file;
  });
  const script = [
    'set -e',
    'ip link set lo up',
    ...files.map((file) => `nft -f '${file}'`),
    'ping -q -c 1 127.0.0.1 > /dev/null',
    `nft -f '${files[0] ?? ''}'`,
    'nft list counter inet patchpanel drop_leak',
  ].join('\n');
  expect(execFileSync('unshare', ['-n', 'sh', '-c', script], { encoding: 'utf8' })).toMatch(/packets 2 /);
});
