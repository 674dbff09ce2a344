#define _GNU_SOURCE
#include "v4l2-device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

static const uint32_t fourcc[] = {V4L2_PIX_FMT_NV12, V4L2_PIX_FMT_YUYV, V4L2_PIX_FMT_MJPEG};

uint32_t device_fourcc(camera_format format) { return fourcc[format]; }

int device_call(int fd, unsigned long request, void *argument) {
  int result;
  do {
    result = ioctl(fd, request, argument);
  } while (result != 0 && errno == EINTR);
  return result;
}

bool device_fault(camera_fault *fault, const char *what, int code) {
  *fault = (camera_fault){what, code};
  return false;
}

bool device_is_multiplanar(const camera_device *device) { return device->type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE; }

uint32_t device_can(const struct v4l2_capability *found) {
  return found->capabilities & V4L2_CAP_DEVICE_CAPS ? found->device_caps : found->capabilities;
}

bool device_type(int fd, struct v4l2_capability *found, enum v4l2_buf_type *type, camera_fault *fault) {
  if (device_call(fd, VIDIOC_QUERYCAP, found) != 0) return device_fault(fault, "it is no camera", errno);
  const uint32_t can = device_can(found);
  if (!(can & V4L2_CAP_STREAMING)) return device_fault(fault, "it cannot stream", 0);
  if (can & V4L2_CAP_VIDEO_CAPTURE) {
    *type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  } else if (can & V4L2_CAP_VIDEO_CAPTURE_MPLANE) {
    *type = V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE;
  } else {
    return device_fault(fault, "it captures no pictures", 0);
  }
  return true;
}

/* The size that the driver has made of it; multiplanar drivers say the same in another structure. */
typedef struct {
  uint32_t width, height, pixelformat, stride, size;
} layout;

static layout layout_of(const camera_device *device, const struct v4l2_format *format) {
  const struct v4l2_pix_format *one = &format->fmt.pix;
  const struct v4l2_pix_format_mplane *many = &format->fmt.pix_mp;
  if (!device_is_multiplanar(device)) {
    return (layout){one->width, one->height, one->pixelformat, one->bytesperline, one->sizeimage};
  }
  /* Planes in memories of their own (NV12M) have other names, and are not asked for. */
  return (layout){many->width, many->height, many->num_planes == 1 ? many->pixelformat : 0,
                  many->plane_fmt[0].bytesperline, many->plane_fmt[0].sizeimage};
}

static bool try_format(camera_device *device, camera_format wanted, int width, int height) {
  struct v4l2_format format = {.type = device->type};
  if (device_call(device->fd, VIDIOC_G_FMT, &format) != 0) return false;
  const layout now = layout_of(device, &format);
  /* What somebody else has left there may have odd sides, which we do not take: see `negotiate`. */
  const uint32_t w = width > 0 ? (uint32_t)width : now.width & ~1u;
  const uint32_t h = height > 0 ? (uint32_t)height : now.height & ~1u;
  memset(&format.fmt, 0, sizeof format.fmt);
  if (device_is_multiplanar(device)) {
    format.fmt.pix_mp = (struct v4l2_pix_format_mplane){
        .width = w, .height = h, .pixelformat = fourcc[wanted], .field = V4L2_FIELD_NONE, .num_planes = 1};
  } else {
    format.fmt.pix =
        (struct v4l2_pix_format){.width = w, .height = h, .pixelformat = fourcc[wanted], .field = V4L2_FIELD_NONE};
  }
  if (device_call(device->fd, VIDIOC_S_FMT, &format) != 0) return false;
  const layout given = layout_of(device, &format);
  if (given.pixelformat != fourcc[wanted]) return false;
  device->spec = (camera_spec){wanted, (int)given.width, (int)given.height, given.size};
  device->stride = given.stride;
  return true;
}

static bool negotiate(camera_device *device, const camera_format *wanted, int width, int height, camera_fault *fault) {
  const camera_format first = wanted ? *wanted : camera_nv12, last = wanted ? *wanted : camera_mjpeg;
  camera_format format = first;
  while (!try_format(device, format, width, height)) {
    if (format++ == last) {
      return device_fault(fault, wanted ? "it does not give that format" : "it gives none of NV12, YUYV and MJPEG", 0);
    }
  }
  camera_spec *spec = &device->spec;
  if ((width > 0 && spec->width != width) || (height > 0 && spec->height != height)) {
    return device_fault(fault, "it does not give frames of that size", 0);
  }
  const size_t w = (size_t)spec->width, h = (size_t)spec->height;
  if (w < 1 || h < 1 || w > 8192 || h > 8192) return device_fault(fault, "its frames have no usable size", 0);
  if (spec->format == camera_mjpeg) return true;
  /* Drivers do not agree on what is half of an odd side. */
  if (w % 2 != 0 || h % 2 != 0) return device_fault(fault, "its frames have an odd side", 0);
  const size_t row = spec->format == camera_nv12 ? w : 2 * w;
  if (device->stride < row) device->stride = row;
  spec->size = spec->format == camera_nv12 ? row * h * 3 / 2 : row * h;
  return true;
}

bool device_open(camera_device *device, const char *path, const camera_format *wanted, int width, int height,
                 camera_fault *fault) {
  device->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device->fd < 0) return device_fault(fault, "open", errno);
  struct v4l2_capability found = {0};
  return device_type(device->fd, &found, &device->type, fault) && negotiate(device, wanted, width, height, fault);
}
