import { answerOf } from './status';

const CALM =
  '{"version":"1.2.3","ready":true,"uplinks":[{"ifname":"eth0","kind":"ethernet","state":"up"}],"namespaces":[],"warnings":[]}\n';
const DEGRADED = CALM.replace('"warnings":[]', '"warnings":["no uplink holds a default route"]');

const rows: { name: string; in: string; json: boolean; want: object }[] = [
  { name: 'json is passed on as it is', in: CALM, json: true, want: { text: CALM, exitCode: 0 } },
  {
    name: 'for people',
    in: CALM,
    json: false,
    want: {
      text: 'version     1.2.3\nready       true\nnamespaces  -\nwarnings    -\n\nuplinks\nifname  kind      state\neth0    ethernet  up\n',
      exitCode: 0,
    },
  },
  {
    name: 'warnings are exit code 7, also in json',
    in: DEGRADED,
    json: true,
    want: { text: DEGRADED, exitCode: 7 },
  },
];

test.each(rows)('$name', ({ in: answer, json, want }) => {
  expect(answerOf(answer, json)).toEqual(want);
});

test.each(['', '{', '7', 'null'])('no object: %s', (answer) => {
  expect(() => answerOf(answer, true)).toThrow("the manager's status is not a JSON object");
});
