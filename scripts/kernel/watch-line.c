/* A voltmeter at a GPIO line, independent of whoever drives it: reads the data register of the PL061 of QEMU's board
 * `virt` a thousand times a second and prints "<level> <monotonic ms>" at the start and whenever the level changes.
 * The kernel must allow it: iomem=relaxed.
 *
 *   watch-line LINE */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* The board's memory map; the lowest ten bits of the register's address are the mask of the lines to read. */
enum { pl061 = 0x09030000, page = 4096 };

int main(int count, char **words) {
  const int line = count == 2 ? atoi(words[1]) : -1;
  if (line < 0 || line > 7) return 64;
  const int fd = open("/dev/mem", O_RDONLY | O_SYNC | O_CLOEXEC);
  const volatile uint32_t *registers = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, pl061);
  if (registers == MAP_FAILED) {
    perror("watch-line: /dev/mem");
    return 1;
  }
  const uint32_t mask = 1u << line;
  for (int before = -1;;) {
    struct timespec now;
    const int level = (registers[mask] & mask) != 0;
    if (level != before) {
      clock_gettime(CLOCK_MONOTONIC, &now);
      printf("%d %.3f\n", level, (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
      fflush(stdout);
      before = level;
    }
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}
