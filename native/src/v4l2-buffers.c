#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "v4l2-device.h"

static struct v4l2_buffer buffer_of(const camera_device *device, unsigned index, struct v4l2_plane *plane) {
  struct v4l2_buffer buffer = {.type = device->type, .memory = V4L2_MEMORY_MMAP, .index = index};
  *plane = (struct v4l2_plane){0};
  if (device_is_multiplanar(device)) {
    buffer.m.planes = plane;
    buffer.length = 1;
  }
  return buffer;
}

/* What errno says of a call on a buffer. */
static void blame(camera_fault *fault, const char *what) {
  device_fault(fault, errno == ENODEV ? "it was unplugged" : what, errno);
}

bool device_give(const camera_device *device, unsigned index, camera_fault *fault) {
  struct v4l2_plane plane;
  struct v4l2_buffer buffer = buffer_of(device, index, &plane);
  if (device_call(device->fd, VIDIOC_QBUF, &buffer) == 0) return true;
  blame(fault, "VIDIOC_QBUF");
  return false;
}

/* Bytes of a buffer that a frame takes up, to its last pixel: rows, and the chroma rows below them, are padded. */
static size_t padded_size(const camera_device *device) {
  const size_t h = (size_t)device->spec.height;
  return device->stride * (device->spec.format == camera_nv12 ? h * 3 / 2 : h);
}

static bool map_buffers(camera_device *device, camera_fault *fault) {
  struct v4l2_requestbuffers wanted = {.count = buffers_wanted, .type = device->type, .memory = V4L2_MEMORY_MMAP};
  if (device_call(device->fd, VIDIOC_REQBUFS, &wanted) != 0) return device_fault(fault, "VIDIOC_REQBUFS", errno);
  if (wanted.count < 3) return device_fault(fault, "it has fewer than three buffers", 0);
  for (unsigned i = 0; i < wanted.count && i < buffers_most; i++) {
    struct v4l2_plane plane;
    struct v4l2_buffer buffer = buffer_of(device, i, &plane);
    if (device_call(device->fd, VIDIOC_QUERYBUF, &buffer) != 0) return device_fault(fault, "VIDIOC_QUERYBUF", errno);
    const bool many = device_is_multiplanar(device);
    const size_t size = many ? plane.length : buffer.length;
    const off_t offset = (off_t)(many ? plane.m.mem_offset : buffer.m.offset);
    if (device->spec.format != camera_mjpeg && size < padded_size(device)) {
      return device_fault(fault, "its buffers are smaller than its frames", 0);
    }
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd, offset);
    if (memory == MAP_FAILED) return device_fault(fault, "mmap", errno);
    /* Pixels are for no core image, and for no child. Refused by some drivers' memory, which is in neither. */
    madvise(memory, size, MADV_DONTDUMP);
    madvise(memory, size, MADV_DONTFORK);
    device->maps[device->count++] = (mapping){memory, size};
    if (device->spec.format == camera_mjpeg && size > device->spec.size) device->spec.size = size;
    if (!device_give(device, i, fault)) return false;
  }
  return true;
}

bool device_stream(camera_device *device, camera_fault *fault) {
  int type = (int)device->type;
  if (!map_buffers(device, fault)) return false;
  return device_call(device->fd, VIDIOC_STREAMON, &type) == 0 || device_fault(fault, "VIDIOC_STREAMON", errno);
}

/* By the driver, where it has a time of this clock. Some give the time at which a frame should have ended, a little
 * ahead of us: no frame was captured later than it came. */
static double captured_ms(const struct v4l2_buffer *buffer) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const double arrived = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
  const bool timed = (buffer->flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) == V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  const double told = (double)buffer->timestamp.tv_sec * 1e3 + (double)buffer->timestamp.tv_usec / 1e3;
  return timed && told < arrived ? told : arrived;
}

fetch_result device_fetch(const camera_device *device, camera_arrival *arrival, camera_fault *fault) {
  struct v4l2_plane plane;
  struct v4l2_buffer buffer = buffer_of(device, 0, &plane);
  if (device_call(device->fd, VIDIOC_DQBUF, &buffer) != 0) {
    if (errno == EAGAIN) return fetch_none;
    blame(fault, "VIDIOC_DQBUF");
    return fetch_lost;
  }
  if (buffer.index >= device->count) {
    device_fault(fault, "it answered with a buffer that it does not have", 0);
    return fetch_lost;
  }
  const size_t size = device->maps[buffer.index].size;
  size_t bytes = device_is_multiplanar(device) ? plane.bytesused : buffer.bytesused;
  if (bytes > size) bytes = size;
  const bool whole = device->spec.format == camera_mjpeg ? bytes > 0 : bytes >= device->spec.size;
  *arrival = (camera_arrival){
      .index = buffer.index,
      .bytes = bytes,
      .good = whole && !(buffer.flags & V4L2_BUF_FLAG_ERROR),
      .captured_ms = captured_ms(&buffer),
  };
  return fetch_frame;
}

static void copy_rows(uint8_t *into, const uint8_t *from, size_t row, size_t stride, size_t rows) {
  if (row == stride) {
    memcpy(into, from, row * rows);
    return;
  }
  for (size_t y = 0; y < rows; y++) memcpy(into + y * row, from + y * stride, row);
}

size_t device_copy(const camera_device *device, unsigned index, size_t bytes, uint8_t *into) {
  const camera_spec *spec = &device->spec;
  const size_t w = (size_t)spec->width, h = (size_t)spec->height;
  const uint8_t *from = device->maps[index].memory;
  switch (spec->format) {
    case camera_nv12:
      copy_rows(into, from, w, device->stride, h * 3 / 2);
      return spec->size;
    case camera_yuyv:
      copy_rows(into, from, 2 * w, device->stride, h);
      return spec->size;
    case camera_mjpeg:
      break;
  }
  memcpy(into, from, bytes);
  return bytes;
}

void device_close(camera_device *device) {
  int type = (int)device->type;
  /* The driver writes into the buffers until then. */
  if (device->count > 0) device_call(device->fd, VIDIOC_STREAMOFF, &type);
  for (unsigned i = 0; i < device->count; i++) {
    explicit_bzero(device->maps[i].memory, device->maps[i].size);
    munmap(device->maps[i].memory, device->maps[i].size);
  }
  device->count = 0;
  if (device->fd >= 0) close(device->fd);
  device->fd = -1;
}
