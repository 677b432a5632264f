import { SeededRandom } from '@pp/base/testing';
import { decodeEthernet, decodeIcmp6, decodeIpv6, decodeNd } from '@pp/wire';
import { toHex } from '@pp/wire/testing';
import { admit, CHECKED_BEFORE } from './admit';
import type { NdPacket } from './packet';
import { broken, MESSAGES, ROUNDS, SEED } from './testing/broken';
import { link, mac, ourMac, UP } from './testing/scene';
import { OUR_ADDRESS, translate } from './translate';

const TRIES = Math.ceil(ROUNDS / 4);

/** Whole messages, and broken ones that are admitted if the checksum is not asked for: else few would be. */
function* admitted(): Generator<NdPacket> {
  const random = new SeededRandom(SEED);
  const frames = Array.from({ length: TRIES }, () => broken(random.pick(MESSAGES), random));
  const admissions = [
    ...MESSAGES.map((frame) => admit(frame, { ...CHECKED_BEFORE, checksumReady: true })),
    ...frames.map((frame) => admit(frame, CHECKED_BEFORE)),
  ];
  for (const admission of admissions) if (admission.ok) yield admission.packet;
}

/** The same by the codecs, which look at one header after the other. */
function decodedOf({ frame }: NdPacket): unknown {
  const ethernet = decodeEthernet(frame);
  const ip = ethernet.ok ? decodeIpv6(ethernet.value.payload) : ethernet;
  const icmp = ip.ok ? decodeIcmp6(ip.value.payload) : ip;
  const message = icmp.ok ? decodeNd(icmp.value) : icmp;
  if (!ethernet.ok || !ip.ok || !message.ok) return message;
  const { source: sourceMac, destination: destinationMac } = ethernet.value;
  const { source, destination, payload: icmpBytes } = ip.value;
  return { sourceMac, destinationMac, source, destination, icmp: icmpBytes, message: message.value };
}

test(`what is admitted is what the codecs read (seed ${SEED})`, () => {
  let count = 0;
  for (const packet of admitted()) {
    const { sourceMac, destinationMac, source, destination, icmp, message } = packet;
    expect({ sourceMac, destinationMac, source, destination, icmp, message }).toEqual(decodedOf(packet));
    expect(packet.kind).toBe(message.kind);
    if ('target' in message) expect(packet.target).toEqual(message.target);
    count++;
  }
  expect(count).toBeGreaterThan(TRIES / 4);
});

test(`our own address takes the place of the sender's as by the rewriting of whole messages (seed ${SEED})`, () => {
  const exit = link(UP);
  for (const packet of admitted()) {
    const [quick, whole] = [OUR_ADDRESS, { linkAddress: ourMac(UP) }] as const;
    const made = (rewrite: typeof quick | typeof whole): string =>
      toHex(translate(packet, exit, mac(9), rewrite));
    expect(made(quick)).toBe(made(whole));
  }
});
