/* What only the kernel knows: who holds a file, who is at the other end of a socket, whether the clock is kept;
 * and a word to whoever supervises this process. No script engine here: see addon.c. */
#ifndef DOORKEEP_PROCESS_H
#define DOORKEEP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* flock(2), exclusive, without waiting; held until the last copy of the descriptor is closed, by the end of
 * the process too. 0: done; `*locked` says whether it is ours or another's. Else an errno. */
int lock_file(int fd, bool *locked);

typedef struct {
  pid_t pid;
  uid_t uid;
  gid_t gid;
} peer;

/* Of a unix socket: who connected, as the kernel noted it at that moment. 0, or an errno. */
int peer_credentials(int fd, peer *out);

/* adjtimex(2): whether a time server, or whatever else disciplines the kernel's clock, says that it is right. */
bool clock_synchronised(void);

/* One datagram to a unix socket, named by its path or, with '@' in front, by its abstract name; never waits.
 * 0, or an errno: ENAMETOOLONG, ECONNREFUSED, EAGAIN where the other end does not read. */
int notify_socket(const char *name, const char *message, size_t length);

#endif
