#include "relay-look.h"

#include <errno.h>
#include <linux/gpio.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

typedef struct {
  const char *interface;
  bool used;
  char consumer[GPIO_MAX_NAME_SIZE + 1];
} sight;

/* Of the newer interface, Linux 5.10. */
static bool look_v2(int chip, uint32_t offset, sight *seen) {
#ifdef GPIO_V2_GET_LINEINFO_IOCTL
  struct gpio_v2_line_info info = {.offset = offset};
  if (ioctl(chip, GPIO_V2_GET_LINEINFO_IOCTL, &info) != 0) return false;
  *seen = (sight){.interface = "v2", .used = (info.flags & GPIO_V2_LINE_FLAG_USED) != 0};
  memcpy(seen->consumer, info.consumer, GPIO_MAX_NAME_SIZE);
  return true;
#else
  (void)chip, (void)offset, (void)seen;
  errno = ENOTTY;
  return false;
#endif
}

static bool look_v1(int chip, uint32_t offset, sight *seen) {
  struct gpioline_info info = {.line_offset = offset};
  if (ioctl(chip, GPIO_GET_LINEINFO_IOCTL, &info) != 0) return false;
  *seen = (sight){.interface = "v1", .used = (info.flags & GPIOLINE_FLAG_KERNEL) != 0};
  memcpy(seen->consumer, info.consumer, GPIO_MAX_NAME_SIZE);
  return true;
}

bool relay_look(int chip, uint32_t offset) {
  struct gpiochip_info found = {0};
  sight seen;
  if (ioctl(chip, GPIO_GET_CHIPINFO_IOCTL, &found) != 0) return false;
  /* Every chip has a first line: of one that is not there neither interface would say which it is. */
  const bool there = offset < found.lines;
  const uint32_t asked = there ? offset : 0;
  if (!look_v2(chip, asked, &seen) && !look_v1(chip, asked, &seen)) return false;
  if (!there) printf("%s absent %u\n", seen.interface, found.lines);
  else if (seen.used) printf("%s used %s\n", seen.interface, seen.consumer);
  else printf("%s free\n", seen.interface);
  return fflush(stdout) == 0;
}
