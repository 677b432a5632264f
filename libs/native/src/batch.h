#ifndef PP_BATCH_H
#define PP_BATCH_H

#include "addon.h"

/* Columns of the table's rows; received.ts has the same order. Datagrams use two of them for other facts. */
enum {
  COLUMN_OFFSET,
  COLUMN_LENGTH,
  COLUMN_WIRE_LENGTH,
  COLUMN_IFINDEX,
  COLUMN_PACKET_TYPE,
  COLUMN_PROTOCOL,
  COLUMN_STATUS,
  COLUMN_VLAN
};
enum { COLUMN_PORT = COLUMN_PACKET_TYPE, COLUMN_HOP_LIMIT = COLUMN_PROTOCOL };

/* Room for recvmmsg; 21 KiB, meant for the stack. */
typedef struct {
  struct mmsghdr headers[PP_BATCH];
  struct iovec slots[PP_BATCH];
  struct sockaddr_storage senders[PP_BATCH];
  union {
    struct cmsghdr align;
    uint8_t bytes[128];
  } control[PP_BATCH];
} pp_batch;

/* Receives up to `count` messages into slots of the scratch buffer and fills in offsets and lengths; -1 and errno if there is none. */
int pp_batch_receive(pp_env *env, int fd, unsigned count, size_t slot_bytes, pp_batch *batch);
/* The payload of a control message, or NULL. */
const void *pp_batch_control(pp_batch *batch, int index, int level, int type);

/* False after throwing: so many slots of so many bytes do not fit. */
bool pp_batch_fits(pp_env *env, unsigned count, size_t slot_bytes);

/* Reads up to PP_BATCH frames of a JavaScript array, or the one that stands for an array, from `first` on; how many, or -1 after throwing. */
int pp_read_frames(pp_env *env, napi_value frames, uint32_t first, struct iovec *pieces);
/* Whether a send has merely found the kernel's queue full. */
bool pp_queue_full(int error);

#endif
