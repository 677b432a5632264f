import type { GroupMemberships } from '../neighbor-doors';

/** Memberships of an interface; another one is not there. `joined`: how often the host is a member of the group there, by us or not. */
export interface MembershipsSubject {
  readonly memberships: GroupMemberships;
  readonly ifindex: number;
  readonly gone: number;
  readonly isMember: (group: Uint8Array) => boolean;
}

const GROUP = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x12, 0x34, 0x56);
const OTHER = Uint8Array.of(0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0x65, 0x43, 0x21);

interface Row {
  readonly name: string;
  readonly run: (subject: MembershipsSubject) => unknown;
  readonly want: unknown;
}

/** What every GroupMemberships does. */
export const MEMBERSHIPS_ROWS: readonly Row[] = [
  {
    name: 'a group that is joined, and no other',
    run: ({ memberships, ifindex, isMember }) => [
      memberships.join(ifindex, GROUP),
      isMember(GROUP),
      isMember(OTHER),
    ],
    want: [true, true, false],
  },
  {
    name: 'a group that is left',
    run: ({ memberships, ifindex, isMember }) => {
      memberships.join(ifindex, GROUP);
      memberships.join(ifindex, OTHER);
      memberships.leave(ifindex, GROUP);
      return [isMember(GROUP), isMember(OTHER)];
    },
    want: [false, true],
  },
  {
    name: 'an interface that is gone',
    run: ({ memberships, gone }) => memberships.join(gone, GROUP),
    want: false,
  },
  {
    name: 'closed, it is a member of nothing',
    run: ({ memberships, ifindex, isMember }) => {
      memberships.join(ifindex, GROUP);
      memberships.close();
      return isMember(GROUP);
    },
    want: false,
  },
];
