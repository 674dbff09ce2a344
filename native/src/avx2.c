/* Built with -mavx2 -mfma. The pictures are the same code as in the portable set, vectorised by the compiler. */
#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#include "kernels.h"
#include "letterbox.h"
#include "project.h"
#include "top-k.h"
#include "warp.h"

/* Set bits of each byte, by a table of nibbles (W. Mula). */
static inline __m256i bits_per_byte(__m256i v) {
  const __m256i of_nibble = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                             0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
  const __m256i nibble = _mm256_set1_epi8(15);
  const __m256i low = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(v, nibble));
  const __m256i high = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
  return _mm256_add_epi8(low, high);
}

static inline uint32_t distance(const uint8_t *code, const uint8_t *probe, size_t bytes) {
  const __m256i zero = _mm256_setzero_si256();
  __m256i sum = zero;
  size_t i = 0;
  while (i + 32 <= bytes) {
    /* A byte of the sum holds 255: 31 times at most 8. */
    const size_t end = bytes - i < 31 * 32 ? bytes : i + 31 * 32;
    __m256i counts = zero;
    for (; i + 32 <= end; i += 32) {
      const __m256i a = _mm256_loadu_si256((const __m256i *)(code + i));
      const __m256i b = _mm256_loadu_si256((const __m256i *)(probe + i));
      counts = _mm256_add_epi8(counts, bits_per_byte(_mm256_xor_si256(a, b)));
    }
    sum = _mm256_add_epi64(sum, _mm256_sad_epu8(counts, zero));
  }
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
  uint32_t bits = (uint32_t)(_mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1));
  for (; i < bytes; i++) bits += (uint32_t)__builtin_popcount(code[i] ^ probe[i]);
  return bits;
}

static size_t hamming_top_k(const uint8_t *codes, size_t count, const uint8_t *probe, size_t bytes,
                            uint32_t *rows, uint32_t *distances, size_t k) {
  return nearest(distance, codes, count, probe, bytes, rows, distances, k);
}

static inline float product(const float *vector, const float *probe, size_t dimensions) {
  __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  size_t i = 0;
  for (; i + 32 <= dimensions; i += 32) {
    for (size_t lane = 0; lane < 4; lane++) {
      const size_t at = i + 8 * lane;
      sum[lane] = _mm256_fmadd_ps(_mm256_loadu_ps(vector + at), _mm256_loadu_ps(probe + at), sum[lane]);
    }
  }
  const __m256 eight = _mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3]));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  float total = _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  for (; i < dimensions; i++) total += vector[i] * probe[i];
  return total;
}

static size_t dot_top_k(const float *vectors, size_t count, const float *probe, size_t dimensions,
                        uint32_t *rows, float *scores, size_t k) {
  return best(product, vectors, count, probe, dimensions, rows, scores, k);
}

const kernel_set avx2_kernels = {
    "avx2", letterbox, warp, normalise, project, hamming_top_k, dot_top_k,
};

#else
typedef int no_avx2_on_this_processor;
#endif
