/*
 * Holds network namespaces open: one small process in each, all gone with this one.
 *
 *   hold-namespaces COUNT
 *
 * Each namespace has lo up and reno as its congestion control. Prints the pids on one line, then waits for the end of standard input.
 */
#include "../program.h"
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void set_reno(void) {
  int fd = open("/proc/sys/net/ipv4/tcp_congestion_control", O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "reno", 4) != 4) die("tcp_congestion_control");
  close(fd);
}

static void raise_lo(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0) die("lo");
  close(fd);
}

/* In the child: a namespace of its own, one byte to say so, then nothing until the parent ends. */
static void hold(int ready) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (unshare(CLONE_NEWNET) < 0) die("unshare");
  set_reno();
  raise_lo();
  if (write(ready, "", 1) != 1) die("ready");
  close(ready);
  for (;;) pause();
}

int main(int argc, char **argv) {
  int count = argc == 2 ? atoi(argv[1]) : 0, ready[2];
  if (count < 1) {
    fprintf(stderr, "hold-namespaces COUNT\n");
    return 2;
  }
  for (int i = 0; i < count; i++) {
    if (pipe2(ready, O_CLOEXEC) < 0) die("pipe");
    pid_t pid = fork();
    if (pid < 0) die("fork");
    if (pid == 0) hold(ready[1]);
    close(ready[1]);
    char byte;
    if (read(ready[0], &byte, 1) != 1) die("child"); /* it ended: its own message says why */
    close(ready[0]);
    printf(i == 0 ? "%d" : " %d", pid);
  }
  printf("\n");
  fflush(stdout);
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}
