/* Frames and datagrams, many for one system call and one call of JavaScript. */
#include "batch.h"

int pp_batch_receive(pp_env *env, int fd, unsigned count, size_t slot_bytes, pp_batch *batch) {
  uint8_t *scratch = env->scratch;
  for (unsigned i = 0; i < count; i++) {
    batch->slots[i] = (struct iovec){scratch + i * slot_bytes, slot_bytes};
    batch->headers[i] = (struct mmsghdr){.msg_hdr = {
                                             .msg_name = &batch->senders[i],
                                             .msg_namelen = sizeof batch->senders[i],
                                             .msg_iov = &batch->slots[i],
                                             .msg_iovlen = 1,
                                             .msg_control = &batch->control[i],
                                             .msg_controllen = sizeof batch->control[i],
                                         }};
  }
  int received;
  do received = recvmmsg(fd, batch->headers, count, MSG_DONTWAIT | MSG_TRUNC, NULL);
  while (received < 0 && errno == EINTR);
  int32_t *row = env->table;
  for (int i = 0; i < received; i++, row += PP_COLUMNS) {
    size_t wire = batch->headers[i].msg_len;
    row[COLUMN_OFFSET] = (int32_t)(i * slot_bytes);
    row[COLUMN_LENGTH] = (int32_t)(wire < slot_bytes ? wire : slot_bytes);
    row[COLUMN_WIRE_LENGTH] = (int32_t)wire;
  }
  return received;
}

const void *pp_batch_control(pp_batch *batch, int index, int level, int type) {
  struct msghdr *header = &batch->headers[index].msg_hdr;
  for (struct cmsghdr *entry = CMSG_FIRSTHDR(header); entry != NULL; entry = CMSG_NXTHDR(header, entry))
    if (entry->cmsg_level == level && entry->cmsg_type == type) return CMSG_DATA(entry);
  return NULL;
}

bool pp_batch_fits(pp_env *env, unsigned count, size_t slot_bytes) {
  if (count >= 1 && count <= PP_BATCH && slot_bytes >= 1 && count * slot_bytes <= PP_SCRATCH_BYTES) return true;
  pp_throw_type(env, "batch and frameBytes", "1 to 64 frames that fit in 1 MiB");
  return false;
}

int pp_read_frames(pp_env *env, napi_value frames, uint32_t first, struct iovec *pieces) {
  uint32_t length;
  if (napi_get_array_length(env->napi, frames, &length) != napi_ok) {
    pp_bytes bytes;
    if (first > 0) return 0;
    if (!pp_read_bytes(env, frames, "frame", &bytes)) return -1;
    pieces[0] = (struct iovec){bytes.data, bytes.length};
    return 1;
  }
  int count = 0;
  for (uint32_t i = first; i < length && count < PP_BATCH; i++) {
    napi_value frame;
    pp_bytes bytes;
    if (napi_get_element(env->napi, frames, i, &frame) != napi_ok || !pp_read_bytes(env, frame, "frame", &bytes)) return -1;
    pieces[count++] = (struct iovec){bytes.data, bytes.length};
  }
  return count;
}

bool pp_queue_full(int error) { return error == EAGAIN || error == ENOBUFS; }
