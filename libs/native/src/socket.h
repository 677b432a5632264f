#ifndef PP_SOCKET_H
#define PP_SOCKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* SCM_MAX_FD: the most that the kernel takes in one message. */
#define PP_MAX_FDS 253

/* sendmsg without SIGPIPE and without waiting; descriptors go with the first byte. */
ssize_t pp_send_with_fds(int socket, struct msghdr *message, const int *fds, size_t count);

#endif
