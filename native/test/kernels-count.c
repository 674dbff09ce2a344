/* Does one stage of the hot path a number of times, for whoever counts its instructions:
 * kernels-count SET STAGE ROUNDS. Made and called by scripts/bench/instructions.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../src/kernels.h"

/* What the presets make of a 1280x720 frame; a chip of the recogniser; a template; 1,000 residents. */
enum {
  width = 1280,
  height = 720,
  seen_width = 320,
  seen_height = 192,
  chip_side = 128,
  dimensions = 256,
  bits = 4096,
  residents = 1000,
  best = 16
};

static void *bytes_of_a_kind(size_t count) {
  uint8_t *memory = malloc(count);
  if (memory == NULL) exit(2);
  uint32_t state = 12345;
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    memory[i] = (uint8_t)(state >> 24);
  }
  return memory;
}

static const kernel_set *set_named(const char *name) {
  const kernel_set *set;
  for (size_t i = 0; (set = available_kernels(i)) != NULL; i++) {
    if (strcmp(set->name, name) == 0) return set;
  }
  return NULL;
}

int main(int argc, char **argv) {
  const kernel_set *set = argc == 4 ? set_named(argv[1]) : NULL;
  if (set == NULL) {
    fprintf(stderr, "kernels-count SET STAGE ROUNDS; sets:");
    for (size_t i = 0; available_kernels(i) != NULL; i++) fprintf(stderr, " %s", available_kernels(i)->name);
    fprintf(stderr, "\n");
    return 64;
  }
  const char *stage = argv[2];
  const int rounds = atoi(argv[3]);
  const frame nv12 = {NV12, width, height, bytes_of_a_kind((size_t)width * height * 3 / 2)};
  const pixel_spec spec = {{2, 1, 0}, {0, 0, 0}, {1, 1, 1}};
  /* Turned by some degrees, as faces are; as large as at the door. */
  const double chip_to_frame[6] = {1.83, -0.21, 420.25, 0.21, 1.83, 160.75};
  float *tensor = malloc(sizeof(float) * 3 * seen_width * seen_height);
  uint8_t *chip = bytes_of_a_kind(3 * chip_side * chip_side);
  const uint8_t *signs = bytes_of_a_kind((size_t)bits * dimensions / 8);
  const int8_t *q = bytes_of_a_kind(dimensions);
  int32_t *sums = malloc(sizeof(int32_t) * bits);
  const uint8_t *codes = bytes_of_a_kind((size_t)residents * bits / 8), *probe = codes + 7 * bits / 8;
  float *vectors = malloc(sizeof(float) * (size_t)residents * dimensions);
  uint32_t rows[best], distances[best];
  float scores[best];
  if (tensor == NULL || sums == NULL || vectors == NULL) return 2;
  for (size_t i = 0; i < (size_t)residents * dimensions; i++) vectors[i] = (float)codes[i] / 4096 - 0.03f;
  for (int round = 0; round < rounds; round++) {
    if (strcmp(stage, "letterbox") == 0) set->letterbox(&nv12, &spec, seen_width, seen_height, tensor);
    else if (strcmp(stage, "warp") == 0) set->warp(&nv12, chip_to_frame, chip_side, chip_side, chip);
    else if (strcmp(stage, "normalise") == 0) set->normalise(chip, chip_side, chip_side, &spec, tensor);
    else if (strcmp(stage, "project") == 0) set->project(signs, q, dimensions, sums, bits);
    else if (strcmp(stage, "hamming") == 0) set->hamming_top_k(codes, residents, probe, bits / 8, rows, distances, best);
    else if (strcmp(stage, "dot") == 0) set->dot_top_k(vectors, residents, vectors, dimensions, rows, scores, best);
    else return 64;
  }
  return 0;
}
