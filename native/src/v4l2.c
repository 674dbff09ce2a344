#define _GNU_SOURCE
#include "v4l2.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "v4l2-device.h"

enum { none = -1 };
/* A camera that brings nothing for so long will not bring anything. */
enum { patience_ms = 10000 };

struct camera {
  camera_device device;
  int wake;
  camera_notify *notify;
  void *context;
  pthread_t thread;
  bool running;
  pthread_mutex_t lock;
  /* Under the lock: */
  int newest;
  size_t newest_bytes;
  double newest_ms;
  uint64_t dropped;
  bool armed;
  bool lost;
  camera_fault fault;
};

/* Under the lock. */
static bool take_arming(camera *source) {
  const bool armed = source->armed;
  source->armed = false;
  return armed;
}

static void lose(camera *source, camera_fault fault) {
  pthread_mutex_lock(&source->lock);
  source->lost = true;
  source->fault = fault;
  const bool tell = take_arming(source);
  pthread_mutex_unlock(&source->lock);
  if (tell) source->notify(source->context);
}

/* Puts a frame in the place of the newest, and gives the one that was there back. False: the camera is lost. */
static bool replace_newest(camera *source, const camera_arrival *arrival) {
  camera_fault fault;
  pthread_mutex_lock(&source->lock);
  int back = (int)arrival->index;
  if (arrival->good) {
    back = source->newest;
    source->newest = (int)arrival->index;
    source->newest_bytes = arrival->bytes;
    source->newest_ms = arrival->captured_ms;
  }
  if (back != none) source->dropped++;
  const bool tell = arrival->good && take_arming(source);
  pthread_mutex_unlock(&source->lock);

  if (tell) source->notify(source->context);
  if (back != none && !device_give(&source->device, (unsigned)back, &fault)) {
    lose(source, fault);
    return false;
  }
  return true;
}

/* False: the camera is lost. */
static bool receive(camera *source) {
  camera_arrival arrival;
  camera_fault fault;
  switch (device_fetch(&source->device, &arrival, &fault)) {
    case fetch_none:
      return true;
    case fetch_frame:
      return replace_newest(source, &arrival);
    case fetch_lost:
      break;
  }
  lose(source, fault);
  return false;
}

static void *capture(void *given) {
  camera *source = given;
  struct pollfd watched[] = {{.fd = source->device.fd, .events = POLLIN}, {.fd = source->wake, .events = POLLIN}};
  for (;;) {
    const int ready = poll(watched, 2, patience_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) {
      lose(source, (camera_fault){"poll", errno});
      return NULL;
    }
    if (watched[1].revents != 0) return NULL;
    if (ready == 0) {
      lose(source, (camera_fault){"it brought no frame for 10 s", 0});
      return NULL;
    }
    /* With POLLERR too: the next call says what is wrong. */
    if (!receive(source)) return NULL;
  }
}

static bool start(camera *source, camera_fault *fault) {
  source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (source->wake < 0) return device_fault(fault, "eventfd", errno);
  /* Signals are for the main thread. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&source->thread, NULL, capture, source);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0) return device_fault(fault, "pthread_create", code);
  source->running = true;
  return true;
}

camera *camera_open(const char *path, const camera_format *wanted, int width, int height, camera_notify *notify,
                    void *context, camera_spec *spec, camera_fault *fault) {
  camera *source = calloc(1, sizeof *source);
  if (source == NULL) {
    device_fault(fault, "calloc", ENOMEM);
    return NULL;
  }
  source->device.fd = source->wake = none;
  source->newest = none;
  source->notify = notify;
  source->context = context;
  pthread_mutex_init(&source->lock, NULL);
  if (device_open(&source->device, path, wanted, width, height, fault) && device_stream(&source->device, fault) &&
      start(source, fault)) {
    *spec = source->device.spec;
    return source;
  }
  camera_close(source);
  return NULL;
}

take_result camera_take(camera *source, uint8_t *into, size_t *size, double *captured_ms, camera_fault *fault) {
  pthread_mutex_lock(&source->lock);
  const int index = source->newest;
  const bool lost = source->lost;
  source->newest = none;
  source->armed = index == none && !lost;
  *size = source->newest_bytes;
  *captured_ms = source->newest_ms;
  *fault = source->fault;
  pthread_mutex_unlock(&source->lock);
  if (index == none) return lost ? take_lost : take_none;

  camera_fault refused;
  *size = device_copy(&source->device, (unsigned)index, *size, into);
  if (!lost && !device_give(&source->device, (unsigned)index, &refused)) lose(source, refused);
  return take_frame;
}

uint64_t camera_dropped(camera *source) {
  pthread_mutex_lock(&source->lock);
  const uint64_t dropped = source->dropped;
  pthread_mutex_unlock(&source->lock);
  return dropped;
}

void camera_close(camera *source) {
  if (source->running) {
    const uint64_t one = 1;
    ssize_t written;
    do {
      written = write(source->wake, &one, sizeof one);
    } while (written < 0 && errno == EINTR);
    pthread_join(source->thread, NULL);
  }
  device_close(&source->device);
  if (source->wake >= 0) close(source->wake);
  pthread_mutex_destroy(&source->lock);
  free(source);
}
