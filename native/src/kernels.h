/* The arithmetic of the hot path, as agent/ports.ts describes it. The TypeScript kernels are the truth
 * that every set here equals. Callers have checked every argument: see addon.c. */
#ifndef DOORKEEP_KERNELS_H
#define DOORKEEP_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { max_side = 8192, max_dimensions = 1024, max_bits = 65536 };

typedef enum { RGB24, BGR24, NV12, I420, YUYV, GREY } pixel_format;

typedef struct {
  pixel_format format;
  int width, height;
  const uint8_t *data;
} frame;

/* In the order R, G, B: the plane of the tensor, and level = (value - mean) * factor in float. */
typedef struct {
  int plane[3];
  float mean[3];
  float factor[3];
} pixel_spec;

typedef struct {
  const char *name;
  double (*letterbox)(const frame *, const pixel_spec *, int width, int height, float *tensor);
  void (*warp)(const frame *, const double chip_to_frame[6], int width, int height, uint8_t *chip);
  void (*normalise)(const uint8_t *chip, int width, int height, const pixel_spec *, float *tensor);
  void (*project)(const uint8_t *signs, const int8_t *q, size_t dimensions, int32_t *y, size_t bits);
  size_t (*hamming_top_k)(const uint8_t *codes, size_t count, const uint8_t *probe, size_t bytes,
                          uint32_t *rows, uint32_t *distances, size_t k);
  size_t (*dot_top_k)(const float *vectors, size_t count, const float *probe, size_t dimensions,
                      uint32_t *rows, float *scores, size_t k);
} kernel_set;

extern const kernel_set portable_kernels;
#if defined(__x86_64__)
extern const kernel_set avx2_kernels;
#elif defined(__aarch64__)
extern const kernel_set neon_kernels;
#endif

/* The sets that this processor can run, best first; NULL from `index` = their number on. */
const kernel_set *available_kernels(size_t index);

#endif
