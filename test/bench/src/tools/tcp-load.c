/*
 * Small TCP conversations and idle connections, for relays:
 *   tcp-load serve ADDRESS PORT              answers one byte with one byte and closes; says "ready" first
 *   tcp-load rate ADDRESS PORT MS WORKERS    connects, says a byte, reads to the end, again and again; prints how many were answered
 *   tcp-load hold ADDRESS PORT COUNT         opens so many, says "held COUNT", and keeps them until its input ends
 */
#include "../program.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address_of(char **args) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(args[1]))};
  if (inet_pton(AF_INET, args[0], &address.sin_addr) != 1) exit(2);
  return address;
}

/* A connection that said nothing yet waits in epoll; idle ones cost nothing. */
static int serve(struct sockaddr_in at) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1, waiter = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener, 4096) != 0) return perror("listen"), 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
  epoll_ctl(waiter, EPOLL_CTL_ADD, listener, &event);
  say_ready();
  for (;;) {
    int count = epoll_wait(waiter, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      char byte;
      if (fd == listener) {
        event.data.fd = accept(listener, NULL, NULL);
        if (event.data.fd >= 0) epoll_ctl(waiter, EPOLL_CTL_ADD, event.data.fd, &event);
        continue;
      }
      if (recv(fd, &byte, 1, 0) == 1) send(fd, &byte, 1, MSG_NOSIGNAL);
      close(fd);
    }
  }
}

static int dial(const struct sockaddr_in *to) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof *to) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

static long converse(const struct sockaddr_in *to, int64_t until) {
  long answered = 0;
  while (now_ns() < until) {
    int fd = dial(to);
    if (fd < 0) continue;
    char byte = 'x', end;
    if (send(fd, &byte, 1, MSG_NOSIGNAL) == 1 && recv(fd, &byte, 1, 0) == 1 && recv(fd, &end, 1, 0) == 0) answered++;
    close(fd);
  }
  return answered;
}

static int rate(struct sockaddr_in to, int span_ms, int workers) {
  int64_t until = now_ns() + span_ms * 1000000LL;
  int results[2];
  if (pipe(results) != 0) return 1;
  for (int i = 0; i < workers; i++) {
    if (fork() != 0) continue;
    long answered = converse(&to, until);
    _exit(write(results[1], &answered, sizeof answered) == sizeof answered ? 0 : 1);
  }
  long total = 0, part;
  for (int i = 0; i < workers; i++) total += read(results[0], &part, sizeof part) == sizeof part ? part : 0;
  while (wait(NULL) > 0) {
  }
  printf("%ld\n", total);
  return 0;
}

static int hold(struct sockaddr_in to, int count) {
  int held = 0;
  for (int i = 0; i < count; i++) held += dial(&to) >= 0;
  printf("held %d\n", held);
  fflush(stdout);
  char byte;
  while (read(0, &byte, 1) > 0) {
  }
  return 0;
}

int main(int argc, char **argv) {
  signal(SIGPIPE, SIG_IGN);
  if (argc == 4 && strcmp(argv[1], "serve") == 0) return serve(address_of(argv + 2));
  if (argc == 6 && strcmp(argv[1], "rate") == 0) return rate(address_of(argv + 2), atoi(argv[4]), atoi(argv[5]));
  if (argc == 5 && strcmp(argv[1], "hold") == 0) return hold(address_of(argv + 2), atoi(argv[4]));
  fputs("tcp-load serve|rate|hold ADDRESS PORT ...\n", stderr);
  return 2;
}
