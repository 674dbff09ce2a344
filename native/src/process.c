#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <unistd.h>

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
  const int state = adjtimex(&asked);
  /* Below zero: it may not be asked here (a filter of system calls), and nobody knows. */
  return state >= 0 && state != TIME_ERROR && (asked.status & STA_UNSYNC) == 0;
}

int notify_socket(const char *name, const char *message, size_t length) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const size_t size = strlen(name);
  if (size >= sizeof to.sun_path) return ENAMETOOLONG;
  memcpy(to.sun_path, name, size);
  if (name[0] == '@') to.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const socklen_t to_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
  const ssize_t sent = sendto(fd, message, length, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to, to_size);
  const int code = sent < 0 ? errno : 0;
  close(fd);
  return code;
}
