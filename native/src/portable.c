#include <string.h>

#include "kernels.h"
#include "letterbox.h"
#include "project.h"
#include "top-k.h"
#include "warp.h"

/* Set bits of each byte, in that byte: not every x86-64 processor has an instruction for it. */
static inline uint64_t bits_per_byte(uint64_t v) {
  v -= (v >> 1) & 0x5555555555555555;
  v = (v & 0x3333333333333333) + ((v >> 2) & 0x3333333333333333);
  return (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
}

static uint32_t distance(const uint8_t *code, const uint8_t *probe, size_t bytes) {
  uint32_t bits = 0;
  size_t i = 0;
  while (i + 8 <= bytes) {
    /* A byte of the sum holds 255: 31 times at most 8. */
    const size_t end = bytes - i < 31 * 8 ? bytes : i + 31 * 8;
    uint64_t counts = 0;
    for (; i + 8 <= end; i += 8) {
      uint64_t a, b;
      memcpy(&a, code + i, 8);
      memcpy(&b, probe + i, 8);
      counts += bits_per_byte(a ^ b);
    }
    const uint64_t pairs = (counts & 0x00ff00ff00ff00ff) + ((counts >> 8) & 0x00ff00ff00ff00ff);
    bits += (uint32_t)((pairs * 0x0001000100010001) >> 48);
  }
  for (; i < bytes; i++) bits += (uint32_t)__builtin_popcount(code[i] ^ probe[i]);
  return bits;
}

static size_t hamming_top_k(const uint8_t *codes, size_t count, const uint8_t *probe, size_t bytes,
                            uint32_t *rows, uint32_t *distances, size_t k) {
  return nearest(distance, codes, count, probe, bytes, rows, distances, k);
}

static float product(const float *vector, const float *probe, size_t dimensions) {
  double sum = 0;
  for (size_t i = 0; i < dimensions; i++) sum += (double)vector[i] * (double)probe[i];
  return (float)sum;
}

static size_t dot_top_k(const float *vectors, size_t count, const float *probe, size_t dimensions,
                        uint32_t *rows, float *scores, size_t k) {
  return best(product, vectors, count, probe, dimensions, rows, scores, k);
}

const kernel_set portable_kernels = {
    "portable", letterbox, warp, normalise, project, hamming_top_k, dot_top_k,
};
