/* Chip <- frame: agent/vision/warp.ts says what is computed, and why so. Included by each set.
 *
 * Along a row of the chip the pixels whose four neighbours all lie in the frame stand side by side
 * (coordinates only grow or only fall), so the edges are done one by one and the middle in blocks:
 * fetch the neighbours, then arithmetic that the compiler vectorises. */
#ifndef DOORKEEP_WARP_H
#define DOORKEEP_WARP_H

#include "pixels.h"

enum { unit = 2048, block = 32 };

/* The sample of pixel (x, y) is base[(y >> shift_y) * stride + (x >> shift_x) * step]. */
typedef struct {
  const uint8_t *base;
  int stride, step, shift_x, shift_y;
} samples;

typedef struct {
  bool yuv;
  int width, height;
  samples part[3];
} picture;

/* Coordinates of a row of the chip: x * dx + x0, in units, two pixels up and half a unit for rounding. */
typedef struct {
  double dx, x0, dy, y0;
} line;

static picture picture_of(const frame *f) {
  const int w = f->width, h = f->height, half = (w + 1) / 2;
  const uint8_t *d = f->data, *chroma = d + (size_t)w * (size_t)h;
  const uint8_t *second = chroma + (size_t)half * (size_t)((h + 1) / 2);
  const samples luma = {d, w, 1, 0, 0};
  switch (f->format) {
    case RGB24:
      return (picture){false, w, h, {{d, 3 * w, 3, 0, 0}, {d + 1, 3 * w, 3, 0, 0}, {d + 2, 3 * w, 3, 0, 0}}};
    case BGR24:
      return (picture){false, w, h, {{d + 2, 3 * w, 3, 0, 0}, {d + 1, 3 * w, 3, 0, 0}, {d, 3 * w, 3, 0, 0}}};
    case NV12:
      return (picture){true, w, h, {luma, {chroma, 2 * half, 2, 1, 1}, {chroma + 1, 2 * half, 2, 1, 1}}};
    case I420:
      return (picture){true, w, h, {luma, {chroma, half, 1, 1, 1}, {second, half, 1, 1, 1}}};
    case YUYV:
      return (picture){true, w, h,
                       {{d, 4 * half, 2, 0, 0}, {d + 1, 4 * half, 4, 1, 0}, {d + 3, 4 * half, 4, 1, 0}}};
    case GREY:
      break;
  }
  return (picture){false, w, h, {luma, luma, luma}};
}

static inline uint8_t sample_at(const picture *p, const samples *s, int x, int y, uint8_t black) {
  if (x < 0 || y < 0 || x >= p->width || y >= p->height) return black;
  return s->base[(size_t)(y >> s->shift_y) * (size_t)s->stride + (size_t)((x >> s->shift_x) * s->step)];
}

static inline int bilinear(int top_left, int top_right, int bottom_left, int bottom_right, int right,
                           int down) {
  return (top_left * (unit - right) + top_right * right) * (unit - down) +
         (bottom_left * (unit - right) + bottom_right * right) * down;
}

static inline uint8_t from_rgb(int sum) { return (uint8_t)((sum + (1 << 21)) >> 22); }

/* Y, U and V with five bits behind the point. */
static inline int from_yuv(int sum, int zero) { return ((sum + (1 << 16)) >> 17) - zero * 32; }

static inline void put_yuv(int y_sum, int u_sum, int v_sum, uint8_t *rgb) {
  const int base = y_factor * from_yuv(y_sum, 16) + 4096;
  const int u = from_yuv(u_sum, 128), v = from_yuv(v_sum, 128);
  rgb[0] = (uint8_t)clamp_to_byte((base + red_v * v) >> 13);
  rgb[1] = (uint8_t)clamp_to_byte((base - green_u * u - green_v * v) >> 13);
  rgb[2] = (uint8_t)clamp_to_byte((base + blue_u * u) >> 13);
}

/* Anywhere: with the edge of the frame or beyond it. */
static void warp_pixel(const picture *p, const line *l, int x, uint8_t *rgb) {
  const double at_x = l->dx * x + l->x0, at_y = l->dy * x + l->y0;
  rgb[0] = rgb[1] = rgb[2] = 0;
  /* Not a number is outside, too. */
  if (!(at_x >= unit && at_x < (p->width + 2) * unit)) return;
  if (!(at_y >= unit && at_y < (p->height + 2) * unit)) return;
  const int left = (int)at_x - 2 * unit, top = (int)at_y - 2 * unit;
  const int column = left >> 11, row = top >> 11, right = left & (unit - 1), down = top & (unit - 1);
  int sum[3];
  for (int c = 0; c < 3; c++) {
    const samples *s = &p->part[c];
    const uint8_t black = !p->yuv ? 0 : c == 0 ? 16 : 128;
    sum[c] = bilinear(sample_at(p, s, column, row, black), sample_at(p, s, column + 1, row, black),
                      sample_at(p, s, column, row + 1, black),
                      sample_at(p, s, column + 1, row + 1, black), right, down);
  }
  if (p->yuv) put_yuv(sum[0], sum[1], sum[2], rgb);
  else for (int c = 0; c < 3; c++) rgb[c] = from_rgb(sum[c]);
}

static bool surrounded(const picture *p, const line *l, int x) {
  const double at_x = l->dx * x + l->x0, at_y = l->dy * x + l->y0;
  return at_x >= 2 * unit && at_x < (p->width + 1) * unit && at_y >= 2 * unit &&
         at_y < (p->height + 1) * unit;
}

typedef struct {
  int x[block], y[block];
  uint8_t top_left[3][block], top_right[3][block], bottom_left[3][block], bottom_right[3][block];
  int sum[3][block];
} warp_block;

static void fetch(const picture *p, int n, warp_block *b) {
  for (int c = 0; c < 3; c++) {
    const samples s = p->part[c];
    for (int i = 0; i < n; i++) {
      const int x = b->x[i] >> 11, y = b->y[i] >> 11;
      const uint8_t *top = s.base + (size_t)(y >> s.shift_y) * (size_t)s.stride;
      const uint8_t *bottom = s.base + (size_t)((y + 1) >> s.shift_y) * (size_t)s.stride;
      const int left = (x >> s.shift_x) * s.step, right = ((x + 1) >> s.shift_x) * s.step;
      b->top_left[c][i] = top[left];
      b->top_right[c][i] = top[right];
      b->bottom_left[c][i] = bottom[left];
      b->bottom_right[c][i] = bottom[right];
    }
  }
}

/* n <= block pixels from x on, all of them surrounded. */
static void warp_middle(const picture *p, const line *l, int x, int n, uint8_t *rgb) {
  warp_block b;
  for (int i = 0; i < n; i++) {
    b.x[i] = (int)(l->dx * (x + i) + l->x0) - 2 * unit;
    b.y[i] = (int)(l->dy * (x + i) + l->y0) - 2 * unit;
  }
  fetch(p, n, &b);
  for (int c = 0; c < 3; c++) {
    for (int i = 0; i < n; i++) {
      b.sum[c][i] = bilinear(b.top_left[c][i], b.top_right[c][i], b.bottom_left[c][i],
                             b.bottom_right[c][i], b.x[i] & (unit - 1), b.y[i] & (unit - 1));
    }
  }
  if (p->yuv) {
    for (int i = 0; i < n; i++) put_yuv(b.sum[0][i], b.sum[1][i], b.sum[2][i], rgb + 3 * i);
  } else {
    for (int i = 0; i < n; i++) {
      for (int c = 0; c < 3; c++) rgb[3 * i + c] = from_rgb(b.sum[c][i]);
    }
  }
}

static void warp(const frame *f, const double m[6], int width, int height, uint8_t *chip) {
  const picture p = picture_of(f);
  const double origin = 2 * unit + 0.5;
  for (int y = 0; y < height; y++, chip += 3 * width) {
    const line l = {m[0] * unit, m[1] * unit * y + m[2] * unit + origin, m[3] * unit,
                    m[4] * unit * y + m[5] * unit + origin};
    int x = 0, end = width;
    for (; x < end && !surrounded(&p, &l, x); x++) warp_pixel(&p, &l, x, chip + 3 * x);
    for (; end > x && !surrounded(&p, &l, end - 1); end--) warp_pixel(&p, &l, end - 1, chip + 3 * (end - 1));
    for (; x < end; x += block) {
      warp_middle(&p, &l, x, end - x < block ? end - x : block, chip + 3 * x);
    }
  }
}

#endif
