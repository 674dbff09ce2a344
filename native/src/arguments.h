/* Checks and fetches what a script handed in. Each returns false with a TypeError thrown, or with
 * whatever the caller's own getter threw.
 *
 * Reading a property may run script, and script may take an array's memory away: read every property
 * first, the memory (get_array) last. */
#ifndef DOORKEEP_ARGUMENTS_H
#define DOORKEEP_ARGUMENTS_H

#include <node_api.h>

#include "kernels.h"

/* A typed array's elements, where it may be of any length: see get_array. */
typedef struct {
  void *data;
  size_t length;
} array;

bool fail(napi_env env, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Exactly `count` arguments, and what the function was made with: its kernel set. */
bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values,
                   const kernel_set **set);

bool get_whole(napi_env env, napi_value value, const char *name, double least, double most, double *out);
bool get_side(napi_env env, napi_value value, const char *name, int *out);
bool get_finite(napi_env env, napi_value value, const char *name, size_t count, double *out);

/* All of the frame but its pixels, which stay in `data` for get_pixels. */
bool get_frame(napi_env env, napi_value value, frame *out, napi_value *data);
bool get_pixels(napi_env env, napi_value data, frame *out);
bool get_chip(napi_env env, napi_value value, int *width, int *height, napi_value *data);
bool get_spec(napi_env env, napi_value value, pixel_spec *out);

bool get_array(napi_env env, napi_value value, const char *name, napi_typedarray_type type, array *out);
bool get_array_of(napi_env env, napi_value value, const char *name, napi_typedarray_type type, size_t length,
                  array *out);

#endif
