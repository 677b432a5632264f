/*
 * Runs a job of several programs one after the other, as a container runtime would, and times the whole from within: what the driver of
 * the benchmark spends on starting processes is not counted against the peer.
 *
 * Standard input, one line each, fields separated by tabs:
 *   INPUT  [NAME=VALUE]...  PROGRAM  [ARGUMENT]...    a step of the job; @PREV@ in INPUT stands for the last output of any step before
 *   go                                              runs the job; answered by the nanoseconds it took
 * A step that fails ends the program, with what the step printed.
 */
#include "../program.h"
#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define STEPS 64
#define FIELDS 64
#define TEXT 65536

extern char **environ;

static char *lines[STEPS];
static int line_count;

/* An anonymous file that holds `input` with every @PREV@ replaced. */
static int input_file(const char *input, const char *previous) {
  int fd = memfd_create("input", MFD_CLOEXEC);
  if (fd < 0) die("memfd");
  for (const char *mark; (mark = strstr(input, "@PREV@")); input = mark + 6) dprintf(fd, "%.*s%s", (int)(mark - input), input, previous);
  dprintf(fd, "%s", input);
  lseek(fd, 0, SEEK_SET);
  return fd;
}

/* Starts the program and waits; what it prints, if anything, replaces `output`. */
static void run(char **env, char **argv, int in, char output[TEXT]) {
  int out = memfd_create("output", MFD_CLOEXEC), status;
  posix_spawn_file_actions_t streams;
  posix_spawn_file_actions_init(&streams);
  posix_spawn_file_actions_adddup2(&streams, in, 0);
  posix_spawn_file_actions_adddup2(&streams, out, 1);
  posix_spawn_file_actions_adddup2(&streams, out, 2);
  pid_t pid;
  if (posix_spawnp(&pid, argv[0], &streams, NULL, argv, env)) die(argv[0]);
  if (waitpid(pid, &status, 0) < 0) die("waitpid");
  posix_spawn_file_actions_destroy(&streams);
  ssize_t length = pread(out, output, TEXT - 1, 0);
  if (length > 0) output[length] = 0;
  close(out);
  close(in);
  if (status != 0) {
    fprintf(stderr, "%s %s: status %#x: %s\n", argv[0], argv[1] ? argv[1] : "", status, output);
    exit(1);
  }
}

static void run_step(char *line, char output[TEXT]) {
  char *fields[FIELDS + 1] = {0}, *env[FIELDS + 256] = {0};
  int field_count = 0, env_count = 0, first = 1;
  for (char *field; (field = strsep(&line, "\t")) && field_count < FIELDS;) fields[field_count++] = field;
  while (fields[first] && strchr(fields[first], '=') && fields[first][0] != '-') env[env_count++] = fields[first++];
  for (char **e = environ; *e && env_count < FIELDS + 255; e++) env[env_count++] = *e;
  if (!fields[first]) {
    fprintf(stderr, "a step without a program\n");
    exit(2);
  }
  run(env, fields + first, input_file(fields[0], output), output);
}

static void run_job(void) {
  static char output[TEXT];
  long long start = now_ns();
  for (int i = 0; i < line_count; i++) run_step(lines[i], output);
  printf("%lld\n", now_ns() - start);
  fflush(stdout);
  while (line_count > 0) free(lines[--line_count]);
}

int main(void) {
  static char line[TEXT];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    if (strcmp(line, "go") == 0) run_job();
    else if (line_count < STEPS) lines[line_count++] = strdup(line);
  }
  return 0;
}
