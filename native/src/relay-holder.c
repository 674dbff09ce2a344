/* Holds one GPIO line, that of the door's relay, in a process of its own: whatever becomes of the agent, the line
 * is low again when its time is over.
 *
 *   relay-holder CHIP LINE high|low       /dev/gpiochip0 5 high: the relay is on while the line is high
 *   relay-holder CHIP LINE look           only says what the line is: see relay-look.h
 *
 * Says `ready` when the line is requested and low. On standard input "pulse MS\n" is answered with `high`, and
 * after MS milliseconds, which this process counts, with `low`; with `busy`, and nothing else, while another
 * pulse is on: nobody keeps the door open by asking again and again. The end of standard input, any signal, the
 * end of the parent and any other word drive the line low and end the process. "High" and "low" are meant as
 * seen by the relay: with `low` as third argument the kernel inverts them.
 *
 * Of SIGKILL no process learns: the line then stays as it is until somebody requests it again, which this
 * program does first thing when it is started again. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "relay-look.h"

/* A door that is held open longer than this is not held by a pulse. */
enum { longest_ms = 30000, shortest_ms = 1 };
enum { exit_usage = 64, exit_no_chip = 66, exit_fault = 71, exit_line_busy = 75 };

static const char consumer[] = "doorkeep-relay";
/* Read by the signal handler. */
static int line = -1;
static bool is_v2;

static int set_line(int fd, int value) {
#ifdef GPIO_V2_LINE_SET_VALUES_IOCTL
  if (is_v2) {
    struct gpio_v2_line_values values = {.bits = (uint64_t)value, .mask = 1};
    return ioctl(fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values);
  }
#endif
  struct gpiohandle_data data = {.values = {(uint8_t)value}};
  return ioctl(fd, GPIOHANDLE_SET_LINE_VALUES_IOCTL, &data);
}

/* Low before anything is said or released: a line that is let go keeps its level. */
static _Noreturn void leave(int status) {
  if (line >= 0) set_line(line, 0);
  _exit(status);
}

static void on_signal(int number) { leave(128 + number); }

static _Noreturn void refuse(int status, const char *what) {
  fprintf(stderr, "relay: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  leave(status);
}

/* Of the newer interface, Linux 5.10; -1: see errno. */
static int request_v2(int chip, uint32_t offset, bool active_low) {
#ifdef GPIO_V2_GET_LINE_IOCTL
  struct gpio_v2_line_request request = {.offsets = {offset}, .num_lines = 1};
  strcpy(request.consumer, consumer);
  request.config.flags = GPIO_V2_LINE_FLAG_OUTPUT | (active_low ? GPIO_V2_LINE_FLAG_ACTIVE_LOW : 0);
  /* Low from the first moment on, not only from the first set_line on. */
  request.config.num_attrs = 1;
  request.config.attrs[0].mask = 1;
  request.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
  request.config.attrs[0].attr.values = 0;
  is_v2 = ioctl(chip, GPIO_V2_GET_LINE_IOCTL, &request) == 0;
  return is_v2 ? request.fd : -1;
#else
  (void)chip, (void)offset, (void)active_low;
  errno = ENOTTY;
  return -1;
#endif
}

static int request_v1(int chip, uint32_t offset, bool active_low) {
  struct gpiohandle_request request = {.lineoffsets = {offset}, .lines = 1};
  strcpy(request.consumer_label, consumer);
  request.flags = GPIOHANDLE_REQUEST_OUTPUT | (active_low ? GPIOHANDLE_REQUEST_ACTIVE_LOW : 0);
  return ioctl(chip, GPIO_GET_LINEHANDLE_IOCTL, &request) == 0 ? request.fd : -1;
}

static int open_chip(const char *path) {
  const int chip = open(path, O_RDWR | O_CLOEXEC);
  if (chip < 0) refuse(exit_no_chip, path);
  return chip;
}

static void request_line(const char *path, uint32_t offset, bool active_low) {
  const int chip = open_chip(path);
  int fd = request_v2(chip, offset, active_low);
  /* What an older kernel answers to a call that it does not know. */
  if (fd < 0 && (errno == ENOTTY || errno == EINVAL)) fd = request_v1(chip, offset, active_low);
  if (fd < 0) refuse(errno == EBUSY ? exit_line_busy : exit_no_chip, "the line cannot be requested");
  line = fd;
  close(chip);
  if (set_line(line, 0) != 0) refuse(exit_fault, "the line cannot be driven");
}

static void say(const char *word) {
  /* Nobody may hold us up by not reading; who has gone will be noticed on standard input. */
  const ssize_t written = write(STDOUT_FILENO, word, strlen(word));
  (void)written;
}

static void drive(int value) {
  if (set_line(line, value) != 0) refuse(exit_fault, "the line cannot be driven");
}

static void set_timer(int timer, long ms) {
  const struct itimerspec when = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};
  if (timerfd_settime(timer, 0, &when, NULL) != 0) refuse(exit_fault, "timerfd_settime");
}

/* Whole words only: "pulse 3000". Anything else is no word of the agent's, and then who is it? */
static long pulse_of(const char *words) {
  static const char order[] = "pulse ";
  if (strncmp(words, order, sizeof order - 1) != 0) return 0;
  const char *digits = words + sizeof order - 1;
  const size_t count = strspn(digits, "0123456789");
  if (count < 1 || count > 5 || digits[count] != 0) return 0;
  const long ms = strtol(digits, NULL, 10);
  return ms >= shortest_ms && ms <= longest_ms ? ms : 0;
}

static void take_order(int timer, const char *words, bool *high) {
  const long ms = pulse_of(words);
  if (ms == 0) {
    errno = 0;
    refuse(exit_usage, "an order that is none");
  }
  if (*high) {
    say("busy\n");
    return;
  }
  /* The end first: from here on the line falls, whatever comes in between. */
  set_timer(timer, ms);
  drive(1);
  *high = true;
  say("high\n");
}

static void hold(int timer) {
  char words[32];
  size_t used = 0;
  bool high = false;
  for (;;) {
    struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = timer, .events = POLLIN}};
    if (poll(watched, 2, -1) < 0) refuse(exit_fault, "poll");
    uint64_t expirations;
    if (watched[1].revents != 0 && read(timer, &expirations, sizeof expirations) > 0) {
      drive(0);
      high = false;
      say("low\n");
    }
    if (watched[0].revents == 0) continue;
    const ssize_t count = read(STDIN_FILENO, words + used, 1);
    if (count <= 0) leave(0);
    if (words[used] == '\n') {
      words[used] = 0;
      used = 0;
      take_order(timer, words, &high);
    } else if (++used == sizeof words) {
      errno = 0;
      refuse(exit_usage, "an order that is none");
    }
  }
}

static void watch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal};
  sigfillset(&action.sa_mask);
  /* SIGKILL and SIGSTOP refuse; child and window signals end nobody. */
  for (int number = 1; number < NSIG; number++) {
    if (number != SIGCHLD && number != SIGCONT && number != SIGWINCH && number != SIGURG) {
      sigaction(number, &action, NULL);
    }
  }
}

int main(int count, char **words) {
  const pid_t parent = getppid();
  char *end = NULL;
  const unsigned long offset = count == 4 ? strtoul(words[2], &end, 10) : 0;
  const bool active_low = count == 4 && strcmp(words[3], "low") == 0;
  const bool looks = count == 4 && strcmp(words[3], "look") == 0;
  if (count != 4 || *words[2] < '0' || *words[2] > '9' || *end != 0 || offset > UINT32_MAX ||
      (!active_low && !looks && strcmp(words[3], "high") != 0)) {
    fputs("usage: relay-holder CHIP LINE high|low|look\n", stderr);
    return exit_usage;
  }
  if (looks) {
    if (!relay_look(open_chip(words[1]), (uint32_t)offset)) refuse(exit_fault, "it is no GPIO chip");
    return 0;
  }
  watch_signals();
  /* Who stops us with the terminal (SIGTSTP) would hold the door: handled above like any signal. */
  if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0) refuse(exit_fault, "prctl");
  if (getppid() != parent) leave(0);
  fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer < 0) refuse(exit_fault, "timerfd_create");
  request_line(words[1], (uint32_t)offset, active_low);
  say("ready\n");
  hold(timer);
}
