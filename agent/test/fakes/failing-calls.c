/*
 * Preloaded into a process (LD_PRELOAD): lets the n-th call that changes a file under the folder
 * FAILING_FOLDER fail, whoever makes it: SQLite, libuv. Commands are paths that are opened:
 *   /failing-calls/arm/<n>/<errno>   the n-th call from now fails, and every call after it until disarmed
 *   /failing-calls/once/<n>/<errno>  only the n-th
 *   /failing-calls/disarm            EEXIST if a call has failed, ENOENT if not
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long countdown = -1;
static int lasting, failure, has_failed;

static int is_watched_path(const char *path) {
  const char *folder = getenv("FAILING_FOLDER");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_watched(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_watched_path(path);
}

static int fails(void) {
  if (countdown < 0) return 0;
  if (countdown > 1) {
    countdown--;
    return 0;
  }
  if (countdown == 0 && !lasting) return 0;
  countdown = 0;
  has_failed = 1;
  errno = failure;
  return 1;
}

static int command(const char *path) {
  long n;
  int code;
  if (strncmp(path, "/failing-calls/", 15) != 0) return 0;
  if (sscanf(path, "/failing-calls/arm/%ld/%d", &n, &code) == 2) lasting = 1;
  else if (sscanf(path, "/failing-calls/once/%ld/%d", &n, &code) == 2) lasting = 0;
  else {
    countdown = -1;
    errno = has_failed ? EEXIST : ENOENT;
    return 1;
  }
  countdown = n;
  failure = code;
  has_failed = 0;
  errno = ENOENT;
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                             \
  int name(const char *path, int flags, ...) {                                 \
    va_list rest;                                                              \
    va_start(rest, flags);                                                     \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;    \
    va_end(rest);                                                              \
    if (command(path)) return -1;                                              \
    if (is_watched_path(path) && (flags & O_ACCMODE) != O_RDONLY && fails())   \
      return -1;                                                               \
    return REAL(name)(path, flags, mode);                                      \
  }
OPEN(open)
OPEN(open64)

#define ON_FD(type, name, parameters, arguments)                               \
  type name parameters {                                                       \
    if (is_watched(fd) && fails()) return -1;                                  \
    return REAL(name) arguments;                                               \
  }
ON_FD(ssize_t, write, (int fd, const void *bytes, size_t size), (fd, bytes, size))
ON_FD(ssize_t, pwrite, (int fd, const void *bytes, size_t size, off_t at), (fd, bytes, size, at))
ON_FD(ssize_t, pwrite64, (int fd, const void *bytes, size_t size, off64_t at), (fd, bytes, size, at))
ON_FD(int, fsync, (int fd), (fd))
ON_FD(int, fdatasync, (int fd), (fd))
ON_FD(int, ftruncate, (int fd, off_t size), (fd, size))
ON_FD(int, ftruncate64, (int fd, off64_t size), (fd, size))

#define ON_PATH(name, parameters, arguments)                                   \
  int name parameters {                                                        \
    if (is_watched_path(path) && fails()) return -1;                           \
    return REAL(name) arguments;                                               \
  }
ON_PATH(unlink, (const char *path), (path))
ON_PATH(rename, (const char *path, const char *to), (path, to))
ON_PATH(mkdir, (const char *path, mode_t mode), (path, mode))
