// Preloaded into pawl: below the folder NO_LOCKS, no file can be locked, with the error of the number NO_LOCKS_ERROR.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_refused(int fd, int command, void *argument) {
  const char *folder = getenv("NO_LOCKS"), *number = getenv("NO_LOCKS_ERROR");
  char link[64], path[PATH_MAX];
  if (folder == NULL || number == NULL || (command != F_SETLK && command != F_SETLKW)) return 0;
  if (((struct flock *)argument)->l_type == F_UNLCK) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < (ssize_t)strlen(folder) || strncmp(path, folder, strlen(folder)) != 0) return 0;
  errno = atoi(number);
  return 1;
}

#define FCNTL(name) \
  int name(int fd, int command, ...) { \
    va_list list; \
    va_start(list, command); \
    void *argument = va_arg(list, void *); \
    va_end(list); \
    if (is_refused(fd, command, argument)) return -1; \
    int (*real)(int, int, ...) = dlsym(RTLD_NEXT, #name); \
    return real(fd, command, argument); \
  }

FCNTL(fcntl)
FCNTL(fcntl64)
