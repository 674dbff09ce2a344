#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/timex.h>

int lock_file(int fd, bool *locked) {
  int result;
  do {
    result = flock(fd, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  *locked = result == 0;
  return result == 0 || errno == EWOULDBLOCK ? 0 : errno;
}

int peer_credentials(int fd, peer *out) {
  struct ucred found;
  socklen_t size = sizeof found;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &found, &size) != 0) return errno;
  /* No process at the other end, or one that this name space cannot see: pid 0, uid -1. */
  *out = (peer){found.pid, found.uid, found.gid};
  return 0;
}

bool clock_synchronised(void) {
  struct timex asked = {.modes = 0};
  return adjtimex(&asked) != TIME_ERROR && (asked.status & STA_UNSYNC) == 0;
}
