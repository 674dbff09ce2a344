/* Frames of a Video4Linux2 camera, captured by a thread of its own into buffers of the driver; the newest is
 * held, older ones go back to the driver and are counted. No script engine here: see v4l2-addon.c. */
#ifndef DOORKEEP_V4L2_H
#define DOORKEEP_V4L2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct camera camera;

typedef enum { camera_nv12, camera_yuyv, camera_mjpeg } camera_format;

typedef struct {
  camera_format format;
  int width, height;
  /* Of a frame as `camera_take` gives it; of mjpeg the most it may have. */
  size_t size;
} camera_spec;

/* What went wrong: the call or the condition, and an errno or 0. */
typedef struct {
  const char *what;
  int code;
} camera_fault;

/* Called by the capturing thread when a frame has come, or the camera is lost, after `camera_take` found
 * neither; once for each time it did. */
typedef void camera_notify(void *context);

/* The first of NV12, YUYV and MJPEG that the driver gives, or only `*wanted`; sides of 0 leave the size as the
 * driver has it. NULL: see `fault`. */
camera *camera_open(const char *path, const camera_format *wanted, int width, int height, camera_notify *notify,
                    void *context, camera_spec *spec, camera_fault *fault);

typedef enum { take_none, take_frame, take_lost } take_result;

/* The newest frame that was not taken yet, copied once, its rows without padding, `*size` bytes of it, with the
 * time of its capture by CLOCK_MONOTONIC. `take_lost`: there will be no more, see `fault`. For one thread. */
take_result camera_take(camera *source, uint8_t *into, size_t *size, double *captured_ms, camera_fault *fault);

/* Frames that gave way to newer ones, or came broken. */
uint64_t camera_dropped(camera *source);

/* Ends the thread, overwrites the driver's buffers with zeros and gives them back. */
void camera_close(camera *source);

typedef struct {
  /* False: a node of another kind (output, metadata). */
  bool captures;
  /* What its driver calls it. */
  char name[33];
  bool gives[camera_mjpeg + 1];
} camera_sight;

/* What an open node of the kernel's is, without streaming or setting anything. False: see `fault`. */
bool camera_look(int fd, camera_sight *sight, camera_fault *fault);

#endif
