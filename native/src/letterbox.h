/* Frame -> tensor: agent/vision/letterbox.ts says what is computed, and why so. Included by each set. */
#ifndef DOORKEEP_LETTERBOX_H
#define DOORKEEP_LETTERBOX_H

#include <math.h>
#include <string.h>

#include "pixels.h"

/* Rows of bytes that belong together: one or more components, one after the other. */
typedef struct {
  const uint8_t *base;
  int stride;
  int extent_y; /* rows of the frame that one row here stands for */
  int first_component, components;
} surface;

typedef struct {
  int offset, step;
  int extent_x; /* pixels that one sample stands for */
} component;

typedef struct {
  bool yuv;
  int surfaces, components;
  surface surface[3];
  component component[3];
} layout;

typedef struct {
  int width, height;
} size_2d;

/* The memory of one call, on the stack: 384 KiB. */
typedef struct {
  uint16_t column[4 * max_side];       /* sums down a column, per byte of the row */
  uint16_t weight[3][4 * max_side];    /* across, per component */
  int32_t first[3][max_side];          /* first sample of each output pixel */
  uint8_t row[3][max_side];            /* the finished 8-bit row */
} letterbox_memory;

static layout layout_of(const frame *f) {
  const int w = f->width, h = f->height, half = (w + 1) / 2;
  const uint8_t *chroma = f->data + (size_t)w * (size_t)h;
  const uint8_t *second = chroma + (size_t)half * (size_t)((h + 1) / 2);
  switch (f->format) {
    case RGB24:
      return (layout){false, 1, 3, {{f->data, 3 * w, 1, 0, 3}}, {{0, 3, 1}, {1, 3, 1}, {2, 3, 1}}};
    case BGR24:
      return (layout){false, 1, 3, {{f->data, 3 * w, 1, 0, 3}}, {{2, 3, 1}, {1, 3, 1}, {0, 3, 1}}};
    case NV12:
      return (layout){true, 2, 3, {{f->data, w, 1, 0, 1}, {chroma, 2 * half, 2, 1, 2}},
                      {{0, 1, 1}, {0, 2, 2}, {1, 2, 2}}};
    case I420:
      return (layout){true, 3, 3,
                      {{f->data, w, 1, 0, 1}, {chroma, half, 2, 1, 1}, {second, half, 2, 2, 1}},
                      {{0, 1, 1}, {0, 1, 2}, {0, 1, 2}}};
    case YUYV:
      return (layout){true, 1, 3, {{f->data, 4 * half, 1, 0, 3}}, {{0, 2, 1}, {1, 4, 2}, {3, 4, 2}}};
    case GREY:
      break;
  }
  return (layout){false, 1, 1, {{f->data, w, 1, 0, 1}}, {{0, 1, 1}}};
}

/* log2 of n / (p * extent) if that is 1, 2 or 4, else -1. */
static int box_shift(int n, int p, int extent) {
  for (int shift = 0; shift <= 2; shift++) {
    if (n == (p * extent) << shift) return shift;
  }
  return -1;
}

/* One weight: the rounded cumulative share at the end of this sample, less that before. */
static inline int share(int covered, int length, int sum) {
  return (int)((2 * (int64_t)covered * sum + length) / (2 * length));
}

static void taps_across(int length, int outputs, int extent, int32_t *first, uint16_t *weight) {
  const int sample = extent * outputs;
  for (int i = 0; i < outputs; i++) {
    const int low = i * length, high = low + length;
    first[i] = low / sample;
    int before = 0;
    for (int end = (first[i] + 1) * sample; before < 32768; end += sample) {
      const int now = end >= high ? 32768 : share(end - low, length, 32768);
      *weight++ = (uint16_t)(now - before);
      before = now;
    }
  }
}

static void add_row(uint16_t *restrict column, const uint8_t *restrict row, int n, int weight) {
  for (int i = 0; i < n; i++) column[i] = (uint16_t)(column[i] + weight * row[i]);
}

static void sum_2_rows(uint16_t *restrict column, const uint8_t *restrict a, int stride, int n) {
  const uint8_t *restrict b = a + stride;
  for (int i = 0; i < n; i++) column[i] = (uint16_t)(a[i] + b[i]);
}

static void sum_4_rows(uint16_t *restrict column, const uint8_t *restrict a, int stride, int n) {
  const uint8_t *restrict b = a + stride, *restrict c = b + stride, *restrict d = c + stride;
  for (int i = 0; i < n; i++) column[i] = (uint16_t)(a[i] + b[i] + c[i] + d[i]);
}

static void sum_rows_by_weight(uint16_t *restrict column, const surface *s, int bytes, int y, int length,
                               int outputs) {
  const int sample = s->extent_y * outputs, low = y * length, high = low + length;
  const uint8_t *row = s->base + (size_t)(low / sample) * (size_t)s->stride;
  memset(column, 0, (size_t)bytes * sizeof *column);
  int before = 0;
  for (int end = (low / sample + 1) * sample; before < 256; end += sample, row += s->stride) {
    const int now = end >= high ? 256 : share(end - low, length, 256);
    add_row(column, row, bytes, now - before);
    before = now;
  }
}

/* Means along a row of sums: the step is a constant in each call, for the compiler's sake. */
static inline void means(const uint16_t *restrict column, int step, int shift_x, int shift_y,
                         uint8_t *restrict out, int n) {
  const int shift = shift_x + shift_y, half = (1 << shift) >> 1;
  if (shift_x == 0) {
    for (int x = 0; x < n; x++) out[x] = (uint8_t)((column[x * step] + half) >> shift);
  } else if (shift_x == 1) {
    for (int x = 0; x < n; x++) {
      out[x] = (uint8_t)((column[2 * x * step] + column[(2 * x + 1) * step] + half) >> shift);
    }
  } else {
    for (int x = 0; x < n; x++) {
      const uint16_t *c = column + 4 * x * step;
      out[x] = (uint8_t)((c[0] + c[step] + c[2 * step] + c[3 * step] + half) >> shift);
    }
  }
}

static void means_by_step(const uint16_t *column, int step, int shift_x, int shift_y, uint8_t *out,
                          int n) {
  switch (step) {
    case 1: means(column, 1, shift_x, shift_y, out, n); break;
    case 2: means(column, 2, shift_x, shift_y, out, n); break;
    case 3: means(column, 3, shift_x, shift_y, out, n); break;
    default: means(column, 4, shift_x, shift_y, out, n); break;
  }
}

static void means_by_weight(const uint16_t *column, int step, const int32_t *first,
                            const uint16_t *weight, uint8_t *out, int n) {
  for (int x = 0; x < n; x++) {
    const uint16_t *c = column + first[x] * step;
    uint32_t sum = 1u << 22, left = 32768;
    while (left > 0) {
      sum += (uint32_t)*weight * *c;
      left -= *weight++;
      c += step;
    }
    out[x] = (uint8_t)(sum >> 23);
  }
}

/* Surface by surface: sums down the columns, then means along the row, 8 bit. */
static void shrink_row(const frame *f, const layout *l, size_2d picture, const bool by_box[3], int y,
                       letterbox_memory *m) {
  for (int i = 0; i < l->surfaces; i++) {
    const surface *s = &l->surface[i];
    const int shift_y = box_shift(f->height, picture.height, s->extent_y);
    if (by_box[i]) {
      const uint8_t *top = s->base + ((size_t)y << shift_y) * (size_t)s->stride;
      if (shift_y == 0) memset(m->column, 0, (size_t)s->stride * sizeof *m->column);
      if (shift_y == 0) add_row(m->column, top, s->stride, 1);
      if (shift_y == 1) sum_2_rows(m->column, top, s->stride, s->stride);
      if (shift_y == 2) sum_4_rows(m->column, top, s->stride, s->stride);
    } else {
      sum_rows_by_weight(m->column, s, s->stride, y, f->height, picture.height);
    }
    for (int c = s->first_component; c < s->first_component + s->components; c++) {
      const component *part = &l->component[c];
      const uint16_t *column = m->column + part->offset;
      if (by_box[i]) {
        const int shift_x = box_shift(f->width, picture.width, part->extent_x);
        means_by_step(column, part->step, shift_x, shift_y, m->row[c], picture.width);
      } else {
        means_by_weight(column, part->step, m->first[c], m->weight[c], m->row[c], picture.width);
      }
    }
  }
}

/* A surface whose every ratio is 1, 2 or 4 needs no weights. The others get theirs here. */
static void plan(const frame *f, const layout *l, size_2d picture, bool by_box[3], letterbox_memory *m) {
  for (int i = 0; i < l->surfaces; i++) {
    const surface *s = &l->surface[i];
    by_box[i] = box_shift(f->height, picture.height, s->extent_y) >= 0;
    for (int c = s->first_component; c < s->first_component + s->components; c++) {
      by_box[i] &= box_shift(f->width, picture.width, l->component[c].extent_x) >= 0;
    }
    for (int c = s->first_component; !by_box[i] && c < s->first_component + s->components; c++) {
      taps_across(f->width, picture.width, l->component[c].extent_x, m->first[c], m->weight[c]);
    }
  }
}

static void fill(float *out, size_t n, float value) {
  for (size_t i = 0; i < n; i++) out[i] = value;
}

static void pad(size_2d picture, const pixel_spec *spec, int width, int height, float *tensor) {
  for (int colour = 0; colour < 3; colour++) {
    const float black = level(0, spec->mean[colour], spec->factor[colour]);
    float *plane = tensor + (size_t)spec->plane[colour] * (size_t)width * (size_t)height;
    for (int y = 0; y < picture.height; y++, plane += width) {
      fill(plane + picture.width, (size_t)(width - picture.width), black);
    }
    fill(plane, (size_t)(height - picture.height) * (size_t)width, black);
  }
}

static double letterbox(const frame *f, const pixel_spec *spec, int width, int height, float *tensor) {
  const double scale = fmin(1, fmin((double)width / f->width, (double)height / f->height));
  const int picture_width = (int)(f->width * scale + 0.5);
  const int picture_height = (int)(f->height * scale + 0.5);
  const size_2d picture = {picture_width < 1 ? 1 : picture_width, picture_height < 1 ? 1 : picture_height};
  const layout l = layout_of(f);
  const size_t size = (size_t)width * (size_t)height;
  float *out[3];
  for (int colour = 0; colour < 3; colour++) out[colour] = tensor + (size_t)spec->plane[colour] * size;
  letterbox_memory memory;
  bool by_box[3];
  plan(f, &l, picture, by_box, &memory);
  for (int y = 0; y < picture.height; y++) {
    shrink_row(f, &l, picture, by_box, y, &memory);
    if (l.yuv) {
      emit_yuv(memory.row[0], memory.row[1], memory.row[2], picture.width, spec, out[0], out[1], out[2]);
    } else {
      for (int colour = 0; colour < 3; colour++) {
        emit_component(memory.row[l.components == 1 ? 0 : colour], picture.width, spec->mean[colour],
                       spec->factor[colour], out[colour]);
      }
    }
    for (int colour = 0; colour < 3; colour++) out[colour] += width;
  }
  pad(picture, spec, width, height, tensor);
  return scale;
}

#endif
