/* Holds every kernel set that this processor can run to the portable one, on random input in memory of
 * exactly the promised size, so that a sanitizer or valgrind sees one byte too far. For example:
 *   cc -std=c11 -O3 -ffp-contract=off -mavx2 -mfma -g -fsanitize=address,undefined \
 *      native/test/kernels-check.c native/src/{kernels,portable,avx2}.c -lm
 *   aarch64-linux-gnu-gcc -static -std=c11 -O3 -ffp-contract=off \
 *      native/test/kernels-check.c native/src/{kernels,portable,neon}.c -lm   (run by qemu-aarch64-static)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/kernels.h"

static uint64_t state = 0x9e3779b97f4a7c15;
static int faults;

static uint32_t chance(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 32) % below;
}

static void *noise(size_t bytes) {
  uint8_t *memory = malloc(bytes);
  for (size_t i = 0; i < bytes; i++) memory[i] = (uint8_t)chance(256);
  return memory;
}

/* Of everything that the portable set computed: the same number on every processor. */
static uint64_t digest = 14695981039346656037u;

static void add_to_digest(const void *memory, size_t bytes) {
  for (size_t i = 0; i < bytes; i++) digest = (digest ^ ((const uint8_t *)memory)[i]) * 1099511628211u;
}

static void expect(bool good, const kernel_set *set, const char *what) {
  if (good) return;
  faults++;
  printf("%s: %s differs from portable\n", set->name, what);
}

static frame random_frame(void) {
  const int large = chance(8) == 0 ? 700 : 90;
  const int w = 1 + (int)chance((uint32_t)large), h = 1 + (int)chance((uint32_t)large);
  const size_t size = (size_t)w * (size_t)h, half = (size_t)(w + 1) / 2;
  const size_t sizes[] = {3 * size, 3 * size, size + 2 * half * (size_t)((h + 1) / 2),
                          size + 2 * half * (size_t)((h + 1) / 2), 4 * half * (size_t)h, size};
  const pixel_format format = (pixel_format)chance(6);
  return (frame){format, w, h, noise(sizes[format])};
}

static pixel_spec random_spec(void) {
  pixel_spec spec;
  const bool rgb = chance(2) == 0;
  for (int i = 0; i < 3; i++) {
    spec.plane[i] = rgb ? i : 2 - i;
    spec.mean[i] = (float)chance(200) / 1.7f;
    spec.factor[i] = 1 / (0.5f + (float)chance(100));
  }
  return spec;
}

static void check_pictures(const kernel_set *set) {
  const frame f = random_frame();
  const pixel_spec spec = random_spec();
  /* Often a round part of the frame, where there are short cuts. */
  const int part = 1 << chance(4);
  const int w = chance(2) ? f.width / part + 1 : 1 + (int)chance(200);
  const int h = chance(2) ? f.height / part + 1 : 1 + (int)chance(200);
  const size_t size = 3 * (size_t)w * (size_t)h;
  float *a = noise(size * sizeof *a), *b = noise(size * sizeof *b);
  uint8_t *c = noise(size), *d = noise(size);
  const double scale = portable_kernels.letterbox(&f, &spec, w, h, a);
  expect(scale == set->letterbox(&f, &spec, w, h, b), set, "letterbox's scale");
  expect(memcmp(a, b, size * sizeof *a) == 0, set, "letterbox");
  add_to_digest(a, size * sizeof *a);
  double m[6];
  const double zoom = chance(3) == 0 ? 40 : 2;
  for (int i = 0; i < 6; i++) {
    m[i] = i % 3 == 2 ? (double)chance(2000) / 10 - 60 : (chance(2001) / 1000.0 - 1) * zoom;
  }
  if (chance(20) == 0) m[chance(6)] = chance(2) ? 1e300 : -1e300;
  portable_kernels.warp(&f, m, w, h, c);
  set->warp(&f, m, w, h, d);
  expect(memcmp(c, d, size) == 0, set, "warp");
  add_to_digest(c, size);
  portable_kernels.normalise(c, w, h, &spec, a);
  set->normalise(c, w, h, &spec, b);
  expect(memcmp(a, b, size * sizeof *a) == 0, set, "normalise");
  free((void *)f.data);
  free(a);
  free(b);
  free(c);
  free(d);
}

static void check_project(const kernel_set *set) {
  const size_t dimensions = 1 + chance(chance(4) == 0 ? max_dimensions : 150), bits = chance(300);
  uint8_t *signs = noise((bits * dimensions + 7) / 8);
  int8_t *q = noise(dimensions);
  int32_t *a = noise(bits * sizeof *a), *b = noise(bits * sizeof *b);
  portable_kernels.project(signs, q, dimensions, a, bits);
  set->project(signs, q, dimensions, b, bits);
  bool equal = memcmp(a, b, bits * sizeof *a) == 0;
  for (size_t i = 0; i < bits; i++) {
    int32_t sum = 0;
    for (size_t j = 0; j < dimensions; j++) {
      const size_t bit = i * dimensions + j;
      sum += signs[bit / 8] >> (bit % 8) & 1 ? q[j] : -q[j];
    }
    equal &= sum == b[i];
  }
  expect(equal, set, "project");
  free(signs);
  free(q);
  free(a);
  free(b);
}

static void check_scans(const kernel_set *set) {
  const size_t length = 1 + chance(chance(2) ? 40 : 1200), count = chance(60), k = chance(20);
  uint8_t *codes = noise(count * length), *probe = noise(length);
  if (chance(2)) {
    for (size_t i = 0; i < count * length; i++) codes[i] = probe[i % length] ^ (chance(8) == 0);
  }
  float *vectors = malloc(count * length * sizeof *vectors), *wanted = malloc(length * sizeof *wanted);
  for (size_t i = 0; i < count * length; i++) vectors[i] = ((float)chance(2001) - 1000) / 1e3f / sqrtf((float)length);
  for (size_t i = 0; i < length; i++) wanted[i] = ((float)chance(2001) - 1000) / 1e3f / sqrtf((float)length);
  if (count > 0 && chance(4) == 0) vectors[chance((uint32_t)(count * length))] = NAN;
  uint32_t *rows[2] = {noise(k * 4), noise(k * 4)}, *distances[2] = {noise(k * 4), noise(k * 4)};
  float *scores[2] = {noise(k * 4), noise(k * 4)};
  const size_t found = portable_kernels.hamming_top_k(codes, count, probe, length, rows[0], distances[0], k);
  bool equal = found == (count < k ? count : k);
  equal &= found == set->hamming_top_k(codes, count, probe, length, rows[1], distances[1], k);
  equal &= memcmp(rows[0], rows[1], found * 4) == 0 && memcmp(distances[0], distances[1], found * 4) == 0;
  expect(equal, set, "hamming_top_k");
  add_to_digest(rows[0], found * 4);
  equal = found == portable_kernels.dot_top_k(vectors, count, wanted, length, rows[0], scores[0], k);
  equal &= found == set->dot_top_k(vectors, count, wanted, length, rows[1], scores[1], k);
  for (size_t i = 0; i < found; i++) {
    equal &= scores[0][i] == scores[1][i] || fabsf(scores[0][i] - scores[1][i]) <= 1e-5f;
  }
  expect(equal, set, "dot_top_k");
  free(codes);
  free(probe);
  free(vectors);
  free(wanted);
  for (int i = 0; i < 2; i++) {
    free(rows[i]);
    free(distances[i]);
    free(scores[i]);
  }
}

int main(int argc, char **argv) {
  const int rounds = argc > 1 ? atoi(argv[1]) : 2000;
  const kernel_set *set;
  for (size_t i = 0; (set = available_kernels(i)) != NULL; i++) {
    for (int round = 0; round < rounds; round++) {
      check_pictures(set);
      check_project(set);
      check_scans(set);
    }
    printf("%s: %d rounds, digest of the portable results %016llx\n", set->name, rounds,
           (unsigned long long)digest);
  }
  return faults > 0;
}
