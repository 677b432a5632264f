/* TAPs that no queue is watched of. */
#ifndef PP_TUN_H
#define PP_TUN_H

#include <stdbool.h>
#include <stdint.h>

/* A new TAP, in the network namespace that the thread is in, that goes with the descriptor; `owner`: a uid, UINT32_MAX: none. -1 with errno, and the call that
 * was refused: EBUSY where the name or the ifindex is taken. */
int pp_tap_make(const char *name, uint32_t owner, uint32_t ifindex, const char **call);
/* False with errno. */
bool pp_tap_persist(int fd, bool on);

#endif
