/* Node has no unix datagram sockets. Prints what comes to one, a line for each: the sender's process, the message.
 *   datagram-listener NAME       '@' in front: an abstract name */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int count, char **given) {
  struct sockaddr_un at = {.sun_family = AF_UNIX};
  const int yes = 1, fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (count != 2 || strlen(given[1]) >= sizeof at.sun_path) return 64;
  strcpy(at.sun_path, given[1]);
  if (at.sun_path[0] == '@') at.sun_path[0] = 0;
  const socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(given[1]));
  if (bind(fd, (struct sockaddr *)&at, size) != 0) return 1;
  if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0) return 1;
  setvbuf(stdout, NULL, _IOLBF, 0);
  puts("listening");
  for (;;) {
    char message[4097] = "", about[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec part = {message, sizeof message - 1};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = about, .msg_controllen = sizeof about};
    if (recvmsg(fd, &header, 0) < 0) return 1;
    struct ucred from = {0};
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&header); each != NULL; each = CMSG_NXTHDR(&header, each)) {
      if (each->cmsg_type == SCM_CREDENTIALS) memcpy(&from, CMSG_DATA(each), sizeof from);
    }
    printf("%d %s\n", from.pid, message);
  }
}
