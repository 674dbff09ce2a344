/* Keyed sign projection by tables: agent/template/projection.ts says how. Included by each set. */
#ifndef DOORKEEP_PROJECT_H
#define DOORKEEP_PROJECT_H

#include "kernels.h"

typedef struct {
  int16_t of[max_dimensions / 8][256];
} pattern_sums;

static void sum_patterns(const int8_t *q, size_t dimensions, pattern_sums *sums) {
  for (size_t from = 0; from < dimensions; from += 8) {
    int16_t *of = sums->of[from / 8];
    int twice[8], all_minus = 0;
    for (size_t bit = 0; bit < 8; bit++) {
      const int value = from + bit < dimensions ? q[from + bit] : 0;
      twice[bit] = 2 * value;
      all_minus -= value;
    }
    of[0] = (int16_t)all_minus;
    for (int bit = 0; bit < 8; bit++) {
      const int patterns = 1 << bit;
      for (int p = 0; p < patterns; p++) of[patterns + p] = (int16_t)(of[p] + twice[bit]);
    }
  }
}

/* What can be computed from an embedding does not stay behind; volatile, or the compiler drops it. */
static void wipe(pattern_sums *sums, size_t groups) {
  volatile uint64_t *word = (volatile uint64_t *)sums;
  for (size_t i = 0; i < groups * sizeof sums->of[0] / sizeof *word; i++) word[i] = 0;
}

static void project(const uint8_t *signs, const int8_t *q, size_t dimensions, int32_t *y, size_t bits) {
  const size_t groups = (dimensions + 7) / 8, bytes = (bits * dimensions + 7) / 8;
  _Alignas(64) pattern_sums sums;
  sum_patterns(q, dimensions, &sums);
  if (dimensions % 8 == 0) {
    for (size_t i = 0; i < bits; i++, signs += groups) {
      int32_t sum = 0;
      for (size_t group = 0; group < groups; group++) sum += sums.of[group][signs[group]];
      y[i] = sum;
    }
  } else {
    for (size_t i = 0; i < bits; i++) {
      int32_t sum = 0;
      for (size_t group = 0; group < groups; group++) {
        const size_t bit = i * dimensions + 8 * group, byte = bit / 8;
        const unsigned high = byte + 1 < bytes ? signs[byte + 1] : 0;
        sum += sums.of[group][((signs[byte] | high << 8) >> (bit % 8)) & 255];
      }
      y[i] = sum;
    }
  }
  wipe(&sums, groups);
}

#endif
