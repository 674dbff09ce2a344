#define _GNU_SOURCE
#include <string.h>

#include "v4l2-device.h"

/* No driver has so many; one that never says the end has a fault. */
enum { formats_most = 256 };

bool camera_look(int fd, camera_sight *sight, camera_fault *fault) {
  struct v4l2_capability found = {0};
  enum v4l2_buf_type type;
  *sight = (camera_sight){0};
  const bool usable = device_type(fd, &found, &type, fault);
  sight->captures = (device_can(&found) & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) != 0;
  /* Without a code: the driver has answered, and it is for something else. */
  if (!usable) return !sight->captures && fault->code == 0;
  memcpy(sight->name, found.card, sizeof found.card);
  for (uint32_t i = 0; i < formats_most; i++) {
    struct v4l2_fmtdesc format = {.index = i, .type = type};
    if (device_call(fd, VIDIOC_ENUM_FMT, &format) != 0) break;
    for (camera_format each = camera_nv12; each <= camera_mjpeg; each++) {
      if (format.pixelformat == device_fourcc(each)) sight->gives[each] = true;
    }
  }
  return true;
}
