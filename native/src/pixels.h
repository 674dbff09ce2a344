/* From rows of 8-bit components to rows of the tensor. Included by each set, so that the compiler
 * vectorises it for that set's processor. */
#ifndef DOORKEEP_PIXELS_H
#define DOORKEEP_PIXELS_H

#include "kernels.h"

/* ITU-R BT.601, limited range, in 1/256: where they come from stands in agent/vision/pixels.ts. */
enum { y_factor = 298, red_v = 409, green_u = 100, green_v = 208, blue_u = 516 };

static inline int clamp_to_byte(int value) { return value < 0 ? 0 : value > 255 ? 255 : value; }

/* The order of operations and the absence of fused multiply-add (-ffp-contract=off) are the contract. */
static inline float level(int value, float mean, float factor) {
  return ((float)value - mean) * factor;
}

static void emit_component(const uint8_t *restrict row, int n, float mean, float factor,
                           float *restrict out) {
  for (int x = 0; x < n; x++) out[x] = level(row[x], mean, factor);
}

static void emit_yuv(const uint8_t *restrict luma, const uint8_t *restrict u,
                     const uint8_t *restrict v, int n, const pixel_spec *spec, float *restrict red,
                     float *restrict green, float *restrict blue) {
  const float mean_r = spec->mean[0], mean_g = spec->mean[1], mean_b = spec->mean[2];
  const float factor_r = spec->factor[0], factor_g = spec->factor[1], factor_b = spec->factor[2];
  for (int x = 0; x < n; x++) {
    const int base = y_factor * (luma[x] - 16) + 128, cb = u[x] - 128, cr = v[x] - 128;
    red[x] = level(clamp_to_byte((base + red_v * cr) >> 8), mean_r, factor_r);
    green[x] = level(clamp_to_byte((base - green_u * cb - green_v * cr) >> 8), mean_g, factor_g);
    blue[x] = level(clamp_to_byte((base + blue_u * cb) >> 8), mean_b, factor_b);
  }
}

static void normalise(const uint8_t *chip, int width, int height, const pixel_spec *spec,
                      float *tensor) {
  const size_t size = (size_t)width * (size_t)height;
  for (int colour = 0; colour < 3; colour++) {
    const float mean = spec->mean[colour], factor = spec->factor[colour];
    float *out = tensor + (size_t)spec->plane[colour] * size;
    for (size_t i = 0; i < size; i++) out[i] = level(chip[3 * i + (size_t)colour], mean, factor);
  }
}

#endif
