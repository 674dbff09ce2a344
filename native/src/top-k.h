/* The k best rows, kept in order while all rows are scanned; equal ones by lower row. Included by each
 * set, which brings its own distance and product. */
#ifndef DOORKEEP_TOP_K_H
#define DOORKEEP_TOP_K_H

#include <math.h>

#include "kernels.h"

typedef uint32_t distance_function(const uint8_t *code, const uint8_t *probe, size_t bytes);
typedef float product_function(const float *vector, const float *probe, size_t dimensions);

/* `distance` is a constant in each call, so that the compiler puts it into the loop. */
static inline __attribute__((always_inline)) size_t nearest(
    distance_function *distance, const uint8_t *codes, size_t count, const uint8_t *probe, size_t bytes,
    uint32_t *rows, uint32_t *distances, size_t k) {
  size_t found = 0;
  for (size_t row = 0; k > 0 && row < count; row++) {
    const uint32_t bits = distance(codes + row * bytes, probe, bytes);
    if (found == k && bits >= distances[k - 1]) continue;
    size_t place = found < k ? found++ : k - 1;
    for (; place > 0 && bits < distances[place - 1]; place--) {
      distances[place] = distances[place - 1];
      rows[place] = rows[place - 1];
    }
    distances[place] = bits;
    rows[place] = (uint32_t)row;
  }
  return found;
}

static inline __attribute__((always_inline)) size_t best(
    product_function *product, const float *vectors, size_t count, const float *probe, size_t dimensions,
    uint32_t *rows, float *scores, size_t k) {
  size_t found = 0;
  for (size_t row = 0; k > 0 && row < count; row++) {
    const float sum = product(vectors + row * dimensions, probe, dimensions);
    const float score = isnan(sum) ? -INFINITY : sum;
    if (found == k && score <= scores[k - 1]) continue;
    size_t place = found < k ? found++ : k - 1;
    for (; place > 0 && score > scores[place - 1]; place--) {
      scores[place] = scores[place - 1];
      rows[place] = rows[place - 1];
    }
    scores[place] = score;
    rows[place] = (uint32_t)row;
  }
  return found;
}

#endif
