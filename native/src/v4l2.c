#define _GNU_SOURCE
#include "v4l2.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* One is the newest, one is being copied, two are with the driver. */
enum { buffers_wanted = 4, buffers_most = 8, none = -1 };
/* A camera that brings nothing for so long will not bring anything. */
enum { patience_ms = 10000 };

typedef struct {
  void *memory;
  size_t size;
} mapping;

struct camera {
  int fd, wake;
  enum v4l2_buf_type type;
  camera_spec spec;
  size_t stride;
  mapping maps[buffers_most];
  unsigned count;
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

static const uint32_t fourcc[] = {V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG};

static int call(int fd, unsigned long request, void *argument) {
  int result;
  do {
    result = ioctl(fd, request, argument);
  } while (result != 0 && errno == EINTR);
  return result;
}

static bool faulty(camera_fault *fault, const char *what, int code) {
  *fault = (camera_fault){what, code};
  return false;
}

static bool is_multiplanar(const camera *source) { return source->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE; }

static bool open_device(camera *source, const char *path, camera_fault *fault) {
  source->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (source->fd < 0) return faulty(fault, "open", errno);
  struct v4l2_capability found = {0};
  if (call(source->fd, VIDIOC_QUERYCAP, &found) != 0) return faulty(fault, "it is no camera", errno);
  const uint32_t can = found.capabilities & V4L2_CAP_DEVICE_CAPS ? found.device_caps : found.capabilities;
  if (!(can & V4L2_CAP_STREAMING)) return faulty(fault, "it cannot stream", 0);
  if (can & V4L2_CAP_VIDEO_CAPTURE) {
    source->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  } else if (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) {
    source->type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
  } else {
    return faulty(fault, "it captures no pictures", 0);
  }
  return true;
}

/* The size that the driver has made of it; multiplanar drivers say the same in another structure. */
typedef struct {
  uint32_t width, height, pixelformat, stride, size;
} layout;

static layout layout_of(const camera *source, const struct v4l2_format *format) {
  const struct v4l2_pix_format *one = &format->fmt.pix;
  const struct v4l2_pix_format_mplane *many = &format->fmt.pix_mp;
  if (!is_multiplanar(source)) {
    return (layout){one->width, one->height, one->pixelformat, one->bytesperline, one->sizeimage};
  }
  /* Planes in memories of their own (NV12M) have other names, and are not asked for. */
  return (layout){many->width, many->height, many->num_planes == 1 ? many->pixelformat : 0,
                  many->plane_fmt[0].bytesperline, many->plane_fmt[0].sizeimage};
}

static bool try_format(camera *source, camera_format wanted, int width, int height) {
  struct v4l2_format format = {.type = source->type};
  if (call(source->fd, VIDIOC_G_FMT, &format) != 0) return false;
  const layout now = layout_of(source, &format);
  /* What somebody else has left there may have odd sides, which we do not take: see `negotiate`. */
  const uint32_t w = width > 0 ? (uint32_t)width : now.width & ~1u;
  const uint32_t h = height > 0 ? (uint32_t)height : now.height & ~1u;
  memset(&format.fmt, 0, sizeof format.fmt);
  if (is_multiplanar(source)) {
    format.fmt.pix_mp = (struct v4l2_pix_format_mplane){
        .width = w, .height = h, .pixelformat = fourcc[wanted], .field = V4L2_FIELD_NONE, .num_planes = 1};
  } else {
    format.fmt.pix =
        (struct v4l2_pix_format){.width = w, .height = h, .pixelformat = fourcc[wanted], .field = V4L2_FIELD_NONE};
  }
  if (call(source->fd, VIDIOC_S_FMT, &format) != 0) return false;
  const layout given = layout_of(source, &format);
  if (given.pixelformat != fourcc[wanted]) return false;
  source->spec = (camera_spec){wanted, (int)given.width, (int)given.height, given.size};
  source->stride = given.stride;
  return true;
}

static bool negotiate(camera *source, const camera_format *wanted, int width, int height, camera_fault *fault) {
  const camera_format first = wanted ? *wanted : camera_nv12, last = wanted ? *wanted : camera_mjpeg;
  camera_format format = first;
  while (!try_format(source, format, width, height)) {
    if (format++ == last) return faulty(fault, wanted ? "it does not give that format" : "it gives none of NV12, YUYV and MJPEG", 0);
  }
  camera_spec *spec = &source->spec;
  if ((width > 0 && spec->width != width) || (height > 0 && spec->height != height)) {
    return faulty(fault, "it does not give frames of that size", 0);
  }
  const size_t w = (size_t)spec->width, h = (size_t)spec->height;
  if (w < 1 || h < 1 || w > 8192 || h > 8192) return faulty(fault, "its frames have no usable size", 0);
  if (spec->format == camera_mjpeg) return true;
  /* Drivers do not agree on what is half of an odd side. */
  if (w % 2 != 0 || h % 2 != 0) return faulty(fault, "its frames have an odd side", 0);
  const size_t row = spec->format == camera_nv12 ? w : 2 * w;
  if (source->stride < row) source->stride = row;
  spec->size = spec->format == camera_nv12 ? row * h * 3 / 2 : row * h;
  return true;
}

static struct v4l2_buffer buffer_of(const camera *source, unsigned index, struct v4l2_plane *plane) {
  struct v4l2_buffer buffer = {.type = source->type, .memory = V4L2_MEMORY_MMAP, .index = index};
  *plane = (struct v4l2_plane){0};
  if (is_multiplanar(source)) {
    buffer.m.planes = plane;
    buffer.length = 1;
  }
  return buffer;
}

static bool give_to_driver(camera *source, unsigned index) {
  struct v4l2_plane plane;
  struct v4l2_buffer buffer = buffer_of(source, index, &plane);
  return call(source->fd, VIDIOC_QBUF, &buffer) == 0;
}

/* Bytes of a buffer that a frame takes up, to its last pixel: rows, and the chroma rows below them, are padded. */
static size_t padded_size(const camera *source) {
  const size_t h = (size_t)source->spec.height;
  return source->stride * (source->spec.format == camera_nv12 ? h * 3 / 2 : h);
}

static bool map_buffers(camera *source, camera_fault *fault) {
  struct v4l2_requestbuffers wanted = {.count = buffers_wanted, .type = source->type, .memory = V4L2_MEMORY_MMAP};
  if (call(source->fd, VIDIOC_REQBUFS, &wanted) != 0) return faulty(fault, "VIDIOC_REQBUFS", errno);
  if (wanted.count < 3) return faulty(fault, "it has fewer than three buffers", 0);
  for (unsigned i = 0; i < wanted.count && i < buffers_most; i++) {
    struct v4l2_plane plane;
    struct v4l2_buffer buffer = buffer_of(source, i, &plane);
    if (call(source->fd, VIDIOC_QUERYBUF, &buffer) != 0) return faulty(fault, "VIDIOC_QUERYBUF", errno);
    const bool many = is_multiplanar(source);
    const size_t size = many ? plane.length : buffer.length;
    const off_t offset = (off_t)(many ? plane.m.mem_offset : buffer.m.offset);
    if (source->spec.format != camera_mjpeg && size < padded_size(source)) {
      return faulty(fault, "its buffers are smaller than its frames", 0);
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, source->fd, offset);
    if (memory == MAP_FAILED) return faulty(fault, "mmap", errno);
    /* Pixels are for no core image, and for no child. Refused by some drivers' memory, which is in neither. */
    madvise(memory, size, MADV_DONTDUMP);
    madvise(memory, size, MADV_DONTFORK);
    source->maps[source->count++] = (mapping){memory, size};
    if (source->spec.format == camera_mjpeg && size > source->spec.size) source->spec.size = size;
    if (!give_to_driver(source, i)) return faulty(fault, "VIDIOC_QBUF", errno);
  }
  return true;
}

static double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* By the driver, where it has a time of this clock. Some give the time at which a frame should have ended, a little
 * ahead of us: no frame was captured later than it came. */
static double captured_ms(const struct v4l2_buffer *buffer) {
  const double arrived = now_ms();
  const bool timed = (buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  const double told = (double)buffer->timestamp.tv_sec * 1e3 + (double)buffer->timestamp.tv_usec / 1e3;
  return timed && told < arrived ? told : arrived;
}

/* Under the lock. */
static bool take_arming(camera *source) {
  const bool armed = source->armed;
  source->armed = false;
  return armed;
}

static void lose(camera *source, const char *what, int code) {
  pthread_mutex_lock(&source->lock);
  source->lost = true;
  source->fault = (camera_fault){what, code};
  const bool tell = take_arming(source);
  pthread_mutex_unlock(&source->lock);
  if (tell) source->notify(source->context);
}

/* False: the camera is lost. */
static bool receive(camera *source) {
  struct v4l2_plane plane;
  struct v4l2_buffer buffer = buffer_of(source, 0, &plane);
  if (call(source->fd, VIDIOC_DQBUF, &buffer) != 0) {
    if (errno == EAGAIN) return true;
    lose(source, errno == ENODEV ? "it was unplugged" : "VIDIOC_DQBUF", errno);
    return false;
  }
  if (buffer.index >= source->count) {
    lose(source, "it answered with a buffer that it does not have", 0);
    return false;
  }
  const size_t size = source->maps[buffer.index].size;
  size_t bytes = is_multiplanar(source) ? plane.bytesused : buffer.bytesused;
  if (bytes > size) bytes = size;
  const bool whole = source->spec.format == camera_mjpeg ? bytes > 0 : bytes >= source->spec.size;
  const bool good = whole && !(buffer.flags & V4L2_BUF_FLAG_ERROR);
  const double ms = captured_ms(&buffer);

  pthread_mutex_lock(&source->lock);
  int back = (int)buffer.index;
  if (good) {
    back = source->newest;
    source->newest = (int)buffer.index;
    source->newest_bytes = bytes;
    source->newest_ms = ms;
  }
  if (back != none) source->dropped++;
  const bool tell = good && take_arming(source);
  pthread_mutex_unlock(&source->lock);

  if (tell) source->notify(source->context);
  if (back != none && !give_to_driver(source, (unsigned)back)) {
    lose(source, errno == ENODEV ? "it was unplugged" : "VIDIOC_QBUF", errno);
    return false;
  }
  return true;
}

static void *capture(void *given) {
  camera *source = given;
  struct pollfd watched[] = {{.fd = source->fd, .events = POLLIN}, {.fd = source->wake, .events = POLLIN}};
  for (;;) {
    const int ready = poll(watched, 2, patience_ms);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) {
      lose(source, "poll", errno);
      return NULL;
    }
    if (watched[1].revents != 0) return NULL;
    if (ready == 0) {
      lose(source, "it brought no frame for 10 s", 0);
      return NULL;
    }
    /* With POLLERR too: the next call says what is wrong. */
    if (!receive(source)) return NULL;
  }
}

static bool start(camera *source, camera_fault *fault) {
  int type = (int)source->type;
  if (call(source->fd, VIDIOC_STREAMON, &type) != 0) return faulty(fault, "VIDIOC_STREAMON", errno);
  source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (source->wake < 0) return faulty(fault, "eventfd", errno);
  /* Signals are for the main thread. */
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int code = pthread_create(&source->thread, NULL, capture, source);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0) return faulty(fault, "pthread_create", code);
  source->running = true;
  return true;
}

camera *camera_open(const char *path, const camera_format *wanted, int width, int height, camera_notify *notify,
                    void *context, camera_spec *spec, camera_fault *fault) {
  camera *source = calloc(1, sizeof *source);
  if (source == NULL) {
    faulty(fault, "calloc", ENOMEM);
    return NULL;
  }
  source->fd = source->wake = none;
  source->newest = none;
  source->notify = notify;
  source->context = context;
  pthread_mutex_init(&source->lock, NULL);
  if (open_device(source, path, fault) && negotiate(source, wanted, width, height, fault) &&
      map_buffers(source, fault) && start(source, fault)) {
    *spec = source->spec;
    return source;
  }
  camera_close(source);
  return NULL;
}

static void copy_rows(uint8_t *into, const uint8_t *from, size_t row, size_t stride, size_t rows) {
  if (row == stride) {
    memcpy(into, from, row * rows);
    return;
  }
  for (size_t y = 0; y < rows; y++) memcpy(into + y * row, from + y * stride, row);
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

  const camera_spec *spec = &source->spec;
  const size_t w = (size_t)spec->width, h = (size_t)spec->height;
  const uint8_t *from = source->maps[index].memory;
  switch (spec->format) {
    case camera_nv12:
      *size = spec->size;
      copy_rows(into, from, w, source->stride, h * 3 / 2);
      break;
    case camera_yuyv:
      *size = spec->size;
      copy_rows(into, from, 2 * w, source->stride, h);
      break;
    case camera_mjpeg:
      memcpy(into, from, *size);
      break;
  }
  if (!lost && !give_to_driver(source, (unsigned)index)) {
    lose(source, errno == ENODEV ? "it was unplugged" : "VIDIOC_QBUF", errno);
  }
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
  int type = (int)source->type;
  /* The driver writes into the buffers until then. */
  if (source->count > 0) call(source->fd, VIDIOC_STREAMOFF, &type);
  for (unsigned i = 0; i < source->count; i++) {
    explicit_bzero(source->maps[i].memory, source->maps[i].size);
    munmap(source->maps[i].memory, source->maps[i].size);
  }
  if (source->wake >= 0) close(source->wake);
  if (source->fd >= 0) close(source->fd);
  pthread_mutex_destroy(&source->lock);
  free(source);
}
