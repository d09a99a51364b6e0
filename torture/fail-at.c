// Preloaded into pawl (LD_PRELOAD). Counts the calls that change files below a folder or write to standard output or
// error, and at one of them (a step) kills the process or makes the call fail.
//
//   TORTURE_ROOT  the folder
//   TORTURE_STEP  the number of the step, from 1; 0: no fault
//   TORTURE_MODE  the fault, see act()
//   TORTURE_LOG   a log with one line a step: number, call, path, bytes
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static char root[PATH_MAX];
static const char *mode = "";
static int target, count, log_fd = -1;
static size_t root_length;

__attribute__((constructor)) static void begin(void) {
  const char *folder = getenv("TORTURE_ROOT"), *step = getenv("TORTURE_STEP"), *log = getenv("TORTURE_LOG");
  if (folder == NULL || realpath(folder, root) == NULL) return;
  root_length = strlen(root);
  if (getenv("TORTURE_MODE") != NULL) mode = getenv("TORTURE_MODE");
  if (step != NULL) target = atoi(step);
  if (log == NULL) return;
  int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  // A high number, because the program may expect to get the lowest free ones.
  log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 200);
  syscall(SYS_close, fd);
}

static int below_root(const char *path) {
  char whole[2 * PATH_MAX];
  if (root_length == 0) return 0;
  if (path[0] != '/') {
    if (getcwd(whole, PATH_MAX) == NULL) return 0;
    strcat(strcat(whole, "/"), path);
    path = whole;
  }
  return strncmp(path, root, root_length) == 0 && (path[root_length] == '/' || path[root_length] == 0);
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  if (root_length == 0) return NULL;
  if (fd == 1) return "stdout";
  if (fd == 2) return "stderr";
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length <= 0) return NULL;
  buffer[length] = 0;
  return buffer[0] == '/' && below_root(buffer) ? buffer : NULL;
}

static void end(int signal) {
  kill(getpid(), signal);
  if (signal == SIGKILL) for (;;) pause();
}

enum { DO = 0, HALF_THEN_KILL = -1, KILL_AFTER = -2, HALF = -3 };

// What to do at this step: one of the above, or the errno to fail with.
static int act(const char *what, const char *path, size_t bytes, int is_write, int needs_space) {
  int step = __sync_add_and_fetch(&count, 1);
  if (log_fd >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%d %s %s %zu\n", step, what, path, bytes);
    syscall(SYS_write, log_fd, line, length);
  }
  if (target == 0 || step < target) return DO;
  // Standard error is not on the disk that fails.
  if ((strcmp(mode, "full") == 0 || strcmp(mode, "dead") == 0) && strcmp(path, "stderr") == 0) return DO;
  if (strcmp(mode, "full") == 0) return !needs_space ? DO : step == target && is_write && bytes > 1 ? HALF : ENOSPC;
  if (strcmp(mode, "dead") == 0) return EIO;
  if (step > target) return DO;
  if (strcmp(mode, "kill-before") == 0) end(SIGKILL);
  if (strcmp(mode, "kill-half") == 0) return HALF_THEN_KILL;
  if (strcmp(mode, "kill-after") == 0) return KILL_AFTER;
  if (strcmp(mode, "sigint") == 0) end(SIGINT);
  if (strcmp(mode, "sigterm") == 0) end(SIGTERM);
  if (strcmp(mode, "enospc") == 0) return ENOSPC;
  if (strcmp(mode, "eio") == 0) return EIO;
  if (strcmp(mode, "edquot") == 0) return EDQUOT;
  return DO;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

// A step that is done completely or not at all.
#define WHOLE(what, path, space, call)                 \
  int todo = act(what, path, 0, 0, space);             \
  if (todo > 0) { errno = todo; return -1; }           \
  int result = call;                                   \
  if (todo == KILL_AFTER || todo == HALF_THEN_KILL) end(SIGKILL); \
  return result

// Whether a write needs more disk space. A write within the present size of a file succeeds on a full disk.
static int grows(int fd, size_t bytes, off_t at) {
  struct stat file;
  if (at < 0 || fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return 1;
  return at + (off_t)bytes > file.st_size;
}

// A write, half of which can be done.
#define BYTES(what, fd, bytes, at, all, half)          \
  char buffer[PATH_MAX];                               \
  const char *path = path_of(fd, buffer);              \
  if (path == NULL) return all;                        \
  int todo = act(what, path, bytes, 1, grows(fd, bytes, at)); \
  if (todo > 0) { errno = todo; return -1; }           \
  ssize_t result = todo == HALF || todo == HALF_THEN_KILL ? half : all; \
  if (todo == KILL_AFTER || todo == HALF_THEN_KILL) end(SIGKILL); \
  return result

ssize_t write(int fd, const void *data, size_t n) {
  __typeof__(&write) real = REAL(write);
  BYTES("write", fd, n, lseek(fd, 0, SEEK_CUR), real(fd, data, n), real(fd, data, n / 2));
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
  __typeof__(&pwrite) real = REAL(pwrite);
  BYTES("pwrite", fd, n, at, real(fd, data, n, at), real(fd, data, n / 2, at));
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
  __typeof__(&pwrite64) real = REAL(pwrite64);
  BYTES("pwrite", fd, n, at, real(fd, data, n, at), real(fd, data, n / 2, at));
}

static size_t total(const struct iovec *parts, int n) {
  size_t bytes = 0;
  for (int i = 0; i < n; i++) bytes += parts[i].iov_len;
  return bytes;
}
static ssize_t write_half(int fd, const struct iovec *parts, int n) {
  size_t left = total(parts, n) / 2;
  ssize_t written = 0;
  for (int i = 0; i < n && left > 0; i++) {
    size_t some = parts[i].iov_len < left ? parts[i].iov_len : left;
    written += syscall(SYS_write, fd, parts[i].iov_base, some);
    left -= some;
  }
  return written;
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
  __typeof__(&writev) real = REAL(writev);
  BYTES("writev", fd, total(parts, n), lseek(fd, 0, SEEK_CUR), real(fd, parts, n), write_half(fd, parts, n));
}

#define OF_FILE(what, fd, space, call)                 \
  char buffer[PATH_MAX];                               \
  const char *path = path_of(fd, buffer);              \
  if (path == NULL) return call;                       \
  WHOLE(what, path, space, call)
int ftruncate(int fd, off_t length) { OF_FILE("ftruncate", fd, 0, REAL(ftruncate)(fd, length)); }
int ftruncate64(int fd, off64_t length) { OF_FILE("ftruncate", fd, 0, REAL(ftruncate64)(fd, length)); }
int fsync(int fd) { OF_FILE("fsync", fd, 0, REAL(fsync)(fd)); }
int fdatasync(int fd) { OF_FILE("fdatasync", fd, 0, REAL(fdatasync)(fd)); }

#define OF_PATH(what, name, space, call)               \
  if (!below_root(name)) return call;                  \
  WHOLE(what, name, space, call)
int rename(const char *from, const char *to) { OF_PATH("rename", to, 1, REAL(rename)(from, to)); }
int link(const char *from, const char *to) { OF_PATH("link", to, 1, REAL(link)(from, to)); }
int unlink(const char *name) { OF_PATH("unlink", name, 0, REAL(unlink)(name)); }
int mkdir(const char *name, mode_t bits) { OF_PATH("mkdir", name, 1, REAL(mkdir)(name, bits)); }

// Only an open that creates a file counts as a step.
#define OPEN(open_name)                                                      \
  int open_name(const char *name, int flags, ...) {                          \
    va_list rest;                                                            \
    va_start(rest, flags);                                                   \
    mode_t bits = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                \
    va_end(rest);                                                            \
    __typeof__(&open_name) real = REAL(open_name);                           \
    if (!(flags & O_CREAT) || !below_root(name)) return real(name, flags, bits); \
    if (access(name, F_OK) == 0) return real(name, flags, bits);             \
    WHOLE("create", name, 1, real(name, flags, bits));                       \
  }
OPEN(open)
OPEN(open64)

// POSIX drops all locks that a process has on a file as soon as it closes any descriptor of that file. SQLite allows
// for that with its own descriptors. Other code that opens and closes a locked file unlocks it, without an
// error. Such a close is logged as step 0.
enum { LOCKED = 8 };
static struct { dev_t device; ino_t inode; } locked[LOCKED];

static void note_lock(int fd, int command, const struct flock *lock) {
  struct stat file;
  if ((command != F_SETLK && command != F_SETLKW) || fstat(fd, &file) != 0) return;
  // SQLite gives up parts of its lock, and all of it at the end of a transaction.
  if (lock->l_type == F_UNLCK && (lock->l_start != 0 || lock->l_len != 0)) return;
  int free = -1;
  for (int i = 0; i < LOCKED; i++) {
    if (locked[i].inode == 0) free = i;
    if (locked[i].inode != file.st_ino || locked[i].device != file.st_dev) continue;
    if (lock->l_type == F_UNLCK) locked[i].inode = 0;
    return;
  }
  if (lock->l_type == F_UNLCK || free < 0) return;
  locked[free].device = file.st_dev;
  locked[free].inode = file.st_ino;
}

static void check_close(int fd) {
  char buffer[PATH_MAX], line[PATH_MAX + 64];
  struct stat file;
  if (log_fd < 0 || fstat(fd, &file) != 0) return;
  for (int i = 0; i < LOCKED; i++) {
    if (locked[i].inode != file.st_ino || locked[i].device != file.st_dev) continue;
    const char *path = path_of(fd, buffer);
    int length = snprintf(line, sizeof line, "0 unlocks %s 0\n", path == NULL ? "?" : path);
    if (path != NULL) syscall(SYS_write, log_fd, line, length);
    return;
  }
}

#define FCNTL(fcntl_name)                                  \
  int fcntl_name(int fd, int command, ...) {               \
    va_list rest;                                          \
    va_start(rest, command);                               \
    void *argument = va_arg(rest, void *);                 \
    va_end(rest);                                          \
    int result = REAL(fcntl_name)(fd, command, argument);  \
    if (result == 0 && argument != NULL) note_lock(fd, command, argument); \
    return result;                                         \
  }
FCNTL(fcntl)
FCNTL(fcntl64)

int close(int fd) {
  check_close(fd);
  return REAL(close)(fd);
}

// Node closes files by this function.
long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_close) check_close(a[0]);
  return REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
