/* What the files of the V4L2 camera share: a device and its buffers. v4l2-device.c opens it and agrees on a format,
 * v4l2-buffers.c moves frames; v4l2.c has the thread that captures, and v4l2.h what others use. */
#ifndef DOORKEEP_V4L2_DEVICE_H
#define DOORKEEP_V4L2_DEVICE_H

/* Takes _GNU_SOURCE, for struct timespec. */
#include <linux/videodev2.h>

#include "v4l2.h"

/* One is the newest, one is being copied, two are with the driver. */
enum { buffers_wanted = 4, buffers_most = 8 };

typedef struct {
  void *memory;
  size_t size;
} mapping;

typedef struct {
  int fd; /* -1: not open */
  enum v4l2_buf_type type;
  camera_spec spec;
  /* Bytes from one row of the driver's to the next. */
  size_t stride;
  mapping maps[buffers_most];
  unsigned count;
} camera_device;

/* ioctl, again where a signal came in between. */
int device_call(int fd, unsigned long request, void *argument);

/* Always false. */
bool device_fault(camera_fault *fault, const char *what, int code);

bool device_is_multiplanar(const camera_device *device);

/* What the driver calls itself, and which buffers it captures into. False: it is no camera of ours, see `fault`. */
bool device_type(int fd, struct v4l2_capability *found, enum v4l2_buf_type *type, camera_fault *fault);

/* What this node can do; a device may have several, each for something else. */
uint32_t device_can(const struct v4l2_capability *found);

/* The name that V4L2 has for a format. */
uint32_t device_fourcc(camera_format format);

/* As camera_open, without streaming. What is open after a fault too is closed by device_close. */
bool device_open(camera_device *device, const char *path, const camera_format *wanted, int width, int height,
                 camera_fault *fault);

/* Maps the buffers, gives them all to the driver, and has it stream. */
bool device_stream(camera_device *device, camera_fault *fault);

typedef struct {
  unsigned index;
  size_t bytes;
  /* Whole, and not marked as broken by the driver. */
  bool good;
  double captured_ms;
} camera_arrival;

typedef enum { fetch_none, fetch_frame, fetch_lost } fetch_result;

/* A buffer that the driver has filled, if there is one. It is ours until it is given back. */
fetch_result device_fetch(const camera_device *device, camera_arrival *arrival, camera_fault *fault);

bool device_give(const camera_device *device, unsigned index, camera_fault *fault);

/* Copies the frame in a buffer that is ours, its rows without padding; returns its length. */
size_t device_copy(const camera_device *device, unsigned index, size_t bytes, uint8_t *into);

/* Ends the stream, overwrites the buffers with zeros, closes. */
void device_close(camera_device *device);

#endif
