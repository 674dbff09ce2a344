/*
 * Preloaded into a process (LD_PRELOAD): a GPIO chip of 8 lines where the machine has none. The chip's path is
 * FAKE_GPIO_CHIP; every change of a level is one line "<line> <level> <monotonic ms>" at the end of FAKE_GPIO_LOG, as
 * the wire sees it, which also keeps the levels from one process to the next, as the chip does.
 *   FAKE_GPIO_KERNEL=v1: as Linux before 5.10.  FAKE_GPIO_BUSY=NAME: somebody else of that name holds the lines.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static int chip = -1, line = -1, offset, is_inverted;

static const char *setting(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static int drive(int value) {
  struct timespec now;
  char text[64];
  clock_gettime(CLOCK_MONOTONIC, &now);
  int length = snprintf(text, sizeof text, "%d %d %.3f\n", offset, (value & 1) ^ is_inverted,
                        (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6);
  int log = open(setting("FAKE_GPIO_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0 || write(log, text, (size_t)length) != length) abort();
  close(log);
  return 0;
}

static int request(uint32_t asked, int wants_output, int inverted, int value) {
  if (*setting("FAKE_GPIO_BUSY")) errno = EBUSY;
  else if (asked >= 8 || !wants_output) errno = EINVAL;
  else {
    offset = (int)asked;
    is_inverted = inverted;
    line = eventfd(0, EFD_CLOEXEC);
    drive(value);
    return line;
  }
  return -1;
}

/* What is known of a line without requesting it. */
static int describe(uint32_t asked, char consumer[GPIO_MAX_NAME_SIZE], uint32_t *size) {
  if (asked >= 8) return errno = EINVAL, -1;
  *size = (uint32_t)snprintf(consumer, GPIO_MAX_NAME_SIZE, "%s", setting("FAKE_GPIO_BUSY"));
  return 0;
}

int open64(const char *path, int flags, ...) {
  static int (*real)(const char *, int, mode_t);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  if (!real) real = (int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, "open64");
  if (strcmp(path, setting("FAKE_GPIO_CHIP")) != 0) return real(path, flags, mode);
  return chip = eventfd(0, EFD_CLOEXEC);
}

int ioctl(int fd, unsigned long call, ...) {
  va_list rest;
  va_start(rest, call);
  void *given = va_arg(rest, void *);
  va_end(rest);
  const int is_old = strcmp(setting("FAKE_GPIO_KERNEL"), "v1") == 0;
  uint32_t length;
  if (fd >= 0 && fd == chip && call == GPIO_GET_CHIPINFO_IOCTL) {
    *(struct gpiochip_info *)given = (struct gpiochip_info){.name = "gpiochip0", .lines = 8};
    return 0;
  }
  if (fd >= 0 && fd == chip && call == GPIO_V2_GET_LINEINFO_IOCTL && !is_old) {
    struct gpio_v2_line_info *info = given;
    if (describe(info->offset, info->consumer, &length) != 0) return -1;
    info->flags = length > 0 ? GPIO_V2_LINE_FLAG_USED : 0;
    return 0;
  }
  if (fd >= 0 && fd == chip && call == GPIO_GET_LINEINFO_IOCTL) {
    struct gpioline_info *info = given;
    if (describe(info->line_offset, info->consumer, &length) != 0) return -1;
    info->flags = length > 0 ? GPIOLINE_FLAG_KERNEL : 0;
    return 0;
  }
  if (fd >= 0 && fd == chip && call == GPIO_V2_GET_LINE_IOCTL && !is_old) {
    struct gpio_v2_line_request *asked = given;
    const uint64_t flags = asked->config.flags;
    asked->fd = request(asked->offsets[0], (flags & GPIO_V2_LINE_FLAG_OUTPUT) != 0,
                        (flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW) != 0, (int)asked->config.attrs[0].attr.values);
    return asked->fd < 0 ? -1 : 0;
  }
  if (fd >= 0 && fd == chip && call == GPIO_GET_LINEHANDLE_IOCTL) {
    struct gpiohandle_request *asked = given;
    asked->fd = request(asked->lineoffsets[0], (asked->flags & GPIOHANDLE_REQUEST_OUTPUT) != 0,
                        (asked->flags & GPIOHANDLE_REQUEST_ACTIVE_LOW) != 0, asked->default_values[0]);
    return asked->fd < 0 ? -1 : 0;
  }
  if (fd >= 0 && fd == line && call == GPIO_V2_LINE_SET_VALUES_IOCTL && !is_old) {
    const struct gpio_v2_line_values *values = given;
    return values->mask == 1 ? drive((int)values->bits) : (errno = EINVAL, -1);
  }
  if (fd >= 0 && fd == line && call == GPIOHANDLE_SET_LINE_VALUES_IOCTL && is_old) {
    return drive(((const struct gpiohandle_data *)given)->values[0]);
  }
  errno = ENOTTY;
  return -1;
}
