/** struct virtio_net_hdr (linux/virtio_net.h), which a packet socket with PACKET_VNET_HDR and a TAP put before each frame; host order. */
export const VIRTIO_NET_HEADER = 10;

const GSO_TYPE_AT = 1;
const GSO_SIZE_AT = 4;
const CHECKSUM_START_AT = 6;
const GSO_ECN = 0x80;
const GSO_TCPV6 = 4;
const UDP_HEADER_BYTES = 8;
const TCP_DATA_OFFSET_AT = 12;

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

const u16host = (bytes: Uint8Array, at: number): number => {
  const [low, high] = IS_LITTLE_ENDIAN ? [at, at + 1] : [at + 1, at];
  return (bytes[low] ?? 0) | ((bytes[high] ?? 0) << 8);
};

/**
 * Bytes of the longest frame that goes on the wire for `frame`, which follows its header: where the sender left segmentation to
 * hardware (TSO, USO) it is a segment of `gso_size` bytes behind all headers.
 */
export function segmentBytes(header: Uint8Array, frame: Uint8Array): number {
  const type = (header[GSO_TYPE_AT] ?? 0) & ~GSO_ECN;
  if (type === 0) return frame.length;
  const transportAt = u16host(header, CHECKSUM_START_AT);
  const transportBytes =
    type === GSO_TCPV6 ? ((frame[transportAt + TCP_DATA_OFFSET_AT] ?? 0) >>> 4) * 4 : UDP_HEADER_BYTES;
  return Math.min(frame.length, transportAt + transportBytes + u16host(header, GSO_SIZE_AT));
}
