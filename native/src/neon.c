/* NEON is in every aarch64 processor, so the pictures and the projection are the same code as in the
 * portable set, which the compiler has vectorised with it already. */
#if defined(__aarch64__)

#include <arm_neon.h>

#include "kernels.h"
#include "letterbox.h"
#include "project.h"
#include "top-k.h"
#include "warp.h"

static inline uint8x16_t differing(const uint8_t *code, const uint8_t *probe) {
  return vcntq_u8(veorq_u8(vld1q_u8(code), vld1q_u8(probe)));
}

static inline uint32_t distance(const uint8_t *code, const uint8_t *probe, size_t bytes) {
  uint32x4_t sum = vdupq_n_u32(0);
  size_t i = 0;
  for (; i + 64 <= bytes; i += 64) {
    const uint8x16_t one = vaddq_u8(differing(code + i, probe + i), differing(code + i + 16, probe + i + 16));
    const uint8x16_t two = vaddq_u8(differing(code + i + 32, probe + i + 32), differing(code + i + 48, probe + i + 48));
    sum = vpadalq_u16(sum, vpaddlq_u8(vaddq_u8(one, two)));
  }
  for (; i + 16 <= bytes; i += 16) {
    sum = vpadalq_u16(sum, vpaddlq_u8(differing(code + i, probe + i)));
  }
  uint32_t bits = vaddvq_u32(sum);
  for (; i < bytes; i++) bits += (uint32_t)__builtin_popcount(code[i] ^ probe[i]);
  return bits;
}

static size_t hamming_top_k(const uint8_t *codes, size_t count, const uint8_t *probe, size_t bytes,
                            uint32_t *rows, uint32_t *distances, size_t k) {
  return nearest(distance, codes, count, probe, bytes, rows, distances, k);
}

static inline float product(const float *vector, const float *probe, size_t dimensions) {
  float32x4_t sum[4] = {vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)};
  size_t i = 0;
  for (; i + 16 <= dimensions; i += 16) {
    for (size_t lane = 0; lane < 4; lane++) {
      const size_t at = i + 4 * lane;
      sum[lane] = vfmaq_f32(sum[lane], vld1q_f32(vector + at), vld1q_f32(probe + at));
    }
  }
  float total = vaddvq_f32(vaddq_f32(vaddq_f32(sum[0], sum[1]), vaddq_f32(sum[2], sum[3])));
  for (; i < dimensions; i++) total += vector[i] * probe[i];
  return total;
}

static size_t dot_top_k(const float *vectors, size_t count, const float *probe, size_t dimensions,
                        uint32_t *rows, float *scores, size_t k) {
  return best(product, vectors, count, probe, dimensions, rows, scores, k);
}

const kernel_set neon_kernels = {
    "neon", letterbox, warp, normalise, project, hamming_top_k, dot_top_k,
};

#else
typedef int no_neon_on_this_processor;
#endif
