/* The porch before the virtual camera: writes frames to the video output of the kernel's `vivid` driver, which hands
 * them to its video input as they are.
 *
 *   feed OUTPUT INPUT WIDTH HEIGHT     both HDMI; NV12
 *
 * Each line on standard input names a file of frames, shown one after the other, over and over, from then on. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static _Noreturn void stop(const char *what) {
  fprintf(stderr, "feed: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int must(int result, const char *what) {
  if (result < 0) stop(what);
  return result;
}

/* Controls of test drivers have no numbers in the system's headers: found by name. */
static void set_control(int fd, const char *name, int value) {
  struct v4l2_query_ext_ctrl asked = {.id = V4L2_CTRL_FLAG_NEXT_CTRL};
  while (ioctl(fd, VIDIOC_QUERY_EXT_CTRL, &asked) == 0) {
    if (strcmp(asked.name, name) == 0) {
      struct v4l2_ext_control control = {.id = asked.id, .value = value};
      struct v4l2_ext_controls controls = {.which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1, .controls = &control};
      must(ioctl(fd, VIDIOC_S_EXT_CTRLS, &controls), name);
      return;
    }
    asked.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
  }
  stop(name);
}

/* Of all timings that the driver knows the first of this size. */
static void set_timings(int fd, uint32_t width, uint32_t height) {
  for (uint32_t i = 0;; i++) {
    struct v4l2_enum_dv_timings found = {.index = i};
    must(ioctl(fd, VIDIOC_ENUM_DV_TIMINGS, &found), "no timings of that size");
    if (found.timings.bt.width != width || found.timings.bt.height != height) continue;
    must(ioctl(fd, VIDIOC_S_DV_TIMINGS, &found.timings), "VIDIOC_S_DV_TIMINGS");
    return;
  }
}

static void set_format(int fd, enum v4l2_buf_type type, uint32_t width, uint32_t height) {
  struct v4l2_format format = {.type = type};
  format.fmt.pix = (struct v4l2_pix_format){
      .width = width, .height = height, .pixelformat = V4L2_PIX_FMT_NV12, .field = V4L2_FIELD_NONE};
  must(ioctl(fd, VIDIOC_S_FMT, &format), "VIDIOC_S_FMT");
  if (format.fmt.pix.width == width && format.fmt.pix.height == height &&
      format.fmt.pix.pixelformat == V4L2_PIX_FMT_NV12) {
    return;
  }
  errno = EINVAL;
  stop("no NV12 of that size");
}

typedef struct {
  const uint8_t *frames;
  size_t count, next;
} show;

static show open_show(const char *path, size_t frame_size) {
  struct stat about;
  const int fd = must(open(path, O_RDONLY | O_CLOEXEC), path);
  must(fstat(fd, &about), path);
  const uint8_t *frames = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (frames == MAP_FAILED || (size_t)about.st_size < frame_size) stop(path);
  close(fd);
  return (show){frames, (size_t)about.st_size / frame_size, 0};
}

/* False: standard input has ended. */
static int read_path(char *path, size_t size) {
  size_t used = 0;
  while (used + 1 < size) {
    if (read(STDIN_FILENO, path + used, 1) != 1) return 0;
    if (path[used++] == '\n') break;
  }
  path[used - 1] = 0;
  return 1;
}

enum { buffers = 3 };

static void queue(int output, uint32_t index, size_t frame_size) {
  struct v4l2_buffer buffer = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT,
                               .memory = V4L2_MEMORY_MMAP,
                               .index = index,
                               .bytesused = (uint32_t)frame_size,
                               .field = V4L2_FIELD_NONE};
  must(ioctl(output, VIDIOC_QBUF, &buffer), "VIDIOC_QBUF");
}

/* Memory of the driver's, in which frames are put for it. */
static void map_buffers(int output, size_t frame_size, uint8_t *maps[buffers]) {
  struct v4l2_requestbuffers wanted = {
      .count = buffers, .type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP};
  must(ioctl(output, VIDIOC_REQBUFS, &wanted), "VIDIOC_REQBUFS");
  for (uint32_t i = 0; i < buffers; i++) {
    struct v4l2_buffer buffer = {.type = wanted.type, .memory = wanted.memory, .index = i};
    must(ioctl(output, VIDIOC_QUERYBUF, &buffer), "VIDIOC_QUERYBUF");
    maps[i] = mmap(NULL, frame_size, PROT_READ | PROT_WRITE, MAP_SHARED, output, buffer.m.offset);
    if (maps[i] == MAP_FAILED) stop("mmap");
  }
}

static const uint8_t *next_frame(show *now, size_t frame_size) {
  char path[400];
  struct pollfd commands = {.fd = STDIN_FILENO, .events = POLLIN};
  if (now->frames == NULL || poll(&commands, 1, 0) > 0) {
    if (!read_path(path, sizeof path)) exit(0);
    *now = open_show(path, frame_size);
  }
  return now->frames + frame_size * (now->next++ % now->count);
}

int main(int count, char **words) {
  if (count != 5) return 64;
  const uint32_t width = (uint32_t)atoi(words[3]), height = (uint32_t)atoi(words[4]);
  const size_t frame_size = (size_t)width * height * 3 / 2;
  const int output = must(open(words[1], O_RDWR | O_CLOEXEC), words[1]);
  const int input = must(open(words[2], O_RDWR | O_CLOEXEC), words[2]);
  set_timings(output, width, height);
  set_timings(input, width, height);
  set_format(output, V4L2_BUF_TYPE_VIDEO_OUTPUT, width, height);
  set_format(input, V4L2_BUF_TYPE_VIDEO_CAPTURE, width, height);
  /* The frames as they are: no text over them. */
  set_control(input, "OSD Text Mode", 2);
  set_control(input, "Loop Video", 1);
  /* Of the 60 frames a second of these timings a quarter: the processor is an emulated one. */
  set_control(input, "Percentage of Dropped Buffers", 75);
  set_control(output, "Percentage of Dropped Buffers", 75);
  close(input);

  uint8_t *maps[buffers];
  show now = {0};
  int type = V4L2_BUF_TYPE_VIDEO_OUTPUT;
  map_buffers(output, frame_size, maps);
  for (uint32_t i = 0; i < buffers; i++) {
    memcpy(maps[i], next_frame(&now, frame_size), frame_size);
    queue(output, i, frame_size);
  }
  must(ioctl(output, VIDIOC_STREAMON, &type), "VIDIOC_STREAMON");
  for (;;) {
    struct v4l2_buffer shown = {.type = V4L2_BUF_TYPE_VIDEO_OUTPUT, .memory = V4L2_MEMORY_MMAP};
    must(ioctl(output, VIDIOC_DQBUF, &shown), "VIDIOC_DQBUF");
    memcpy(maps[shown.index], next_frame(&now, frame_size), frame_size);
    queue(output, shown.index, frame_size);
  }
}
