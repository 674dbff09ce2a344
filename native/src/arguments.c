#include "arguments.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool fail(napi_env env, const char *format, ...) {
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (pending) return false;
  char message[160];
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  napi_throw_type_error(env, NULL, message);
  return false;
}

bool get_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values,
                   const kernel_set **set) {
  size_t given = count;
  void *data = NULL;
  if (napi_get_cb_info(env, info, &given, values, NULL, &data) != napi_ok || given < count) {
    return fail(env, "%zu arguments are needed, not %zu", count, given);
  }
  if (set != NULL) *set = data;
  return true;
}

static bool get_number(napi_env env, napi_value value, double *out) {
  return napi_get_value_double(env, value, out) == napi_ok;
}

bool get_whole(napi_env env, napi_value value, const char *name, double least, double most, double *out) {
  if (!get_number(env, value, out) || !(*out >= least && *out <= most) || floor(*out) != *out) {
    return fail(env, "%s must be a whole number from %.0f to %.0f", name, least, most);
  }
  return true;
}

bool get_side(napi_env env, napi_value value, const char *name, int *out) {
  double side;
  if (!get_whole(env, value, name, 1, max_side, &side)) return false;
  *out = (int)side;
  return true;
}

/* `path` is for the message: "frame.width" is property "width". */
static bool get_property(napi_env env, napi_value object, const char *path, napi_value *out) {
  const char *dot = strchr(path, '.');
  napi_valuetype type = napi_undefined;
  napi_typeof(env, object, &type);
  if (type != napi_object) return fail(env, "%.*s must be an object", (int)(dot - path), path);
  if (napi_get_named_property(env, object, dot + 1, out) != napi_ok) {
    return fail(env, "%s cannot be read", path);
  }
  return true;
}

static bool get_string(napi_env env, napi_value value, char *out, size_t size) {
  size_t length;
  return napi_get_value_string_utf8(env, value, out, size, &length) == napi_ok;
}

bool get_finite(napi_env env, napi_value value, const char *name, size_t count, double *out) {
  bool is_array = false;
  uint32_t length = 0;
  napi_is_array(env, value, &is_array);
  if (is_array) napi_get_array_length(env, value, &length);
  bool good = is_array && length == count;
  for (uint32_t i = 0; good && i < count; i++) {
    napi_value element;
    good = napi_get_element(env, value, i, &element) == napi_ok && get_number(env, element, &out[i]) &&
           isfinite(out[i]);
  }
  return good || fail(env, "%s must be %zu finite numbers", name, count);
}

bool get_frame(napi_env env, napi_value value, frame *out, napi_value *data) {
  static const char *const names[] = {"rgb24", "bgr24", "nv12", "i420", "yuyv", "grey"};
  napi_value format, width, height;
  char name[8] = "";
  if (!get_property(env, value, "frame.format", &format)) return false;
  if (!get_property(env, value, "frame.width", &width)) return false;
  if (!get_property(env, value, "frame.height", &height)) return false;
  if (!get_property(env, value, "frame.data", data)) return false;
  if (!get_side(env, width, "frame.width", &out->width)) return false;
  if (!get_side(env, height, "frame.height", &out->height)) return false;
  if (!get_string(env, format, name, sizeof name)) return fail(env, "frame.format is unknown");
  for (int i = RGB24; i <= GREY; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    out->format = (pixel_format)i;
    return true;
  }
  return fail(env, "frame.format is unknown");
}

/* As in agent/vision/frame.ts. */
static size_t frame_size(const frame *f) {
  const size_t w = (size_t)f->width, h = (size_t)f->height, half = (w + 1) / 2;
  switch (f->format) {
    case RGB24:
    case BGR24:
      return w * h * 3;
    case NV12:
    case I420:
      return w * h + 2 * half * ((h + 1) / 2);
    case YUYV:
      return half * 4 * h;
    case GREY:
      break;
  }
  return w * h;
}

bool get_pixels(napi_env env, napi_value data, frame *out) {
  array bytes;
  if (!get_array_of(env, data, "frame.data", napi_uint8_array, frame_size(out), &bytes)) return false;
  out->data = bytes.data;
  return true;
}

bool get_chip(napi_env env, napi_value value, int *width, int *height, napi_value *data) {
  napi_value w, h;
  if (!get_property(env, value, "chip.width", &w)) return false;
  if (!get_property(env, value, "chip.height", &h)) return false;
  if (!get_property(env, value, "chip.data", data)) return false;
  return get_side(env, w, "chip.width", width) && get_side(env, h, "chip.height", height);
}

bool get_spec(napi_env env, napi_value value, pixel_spec *out) {
  napi_value colour, mean, std;
  char name[8] = "";
  double means[3], stds[3];
  if (!get_property(env, value, "spec.colour", &colour)) return false;
  if (!get_property(env, value, "spec.mean", &mean)) return false;
  if (!get_property(env, value, "spec.std", &std)) return false;
  const bool named = get_string(env, colour, name, sizeof name);
  const bool rgb = named && strcmp(name, "RGB") == 0;
  if (!rgb && !(named && strcmp(name, "BGR") == 0)) return fail(env, "spec.colour must be RGB or BGR");
  if (!get_finite(env, mean, "spec.mean", 3, means)) return false;
  if (!get_finite(env, std, "spec.std", 3, stds)) return false;
  for (int i = 0; i < 3; i++) {
    const int plane = rgb ? i : 2 - i;
    out->plane[i] = plane;
    out->mean[i] = (float)means[plane];
    out->factor[i] = (float)(1 / stds[plane]);
    if (!isfinite(out->mean[i])) return fail(env, "spec.mean must be 3 finite numbers");
    if (!(stds[plane] > 0) || !isfinite(out->factor[i])) {
      return fail(env, "spec.std must be 3 finite numbers above 0");
    }
  }
  return true;
}

static const char *name_of(napi_typedarray_type type) {
  switch (type) {
    case napi_uint8_array:
      return "Uint8Array";
    case napi_int8_array:
      return "Int8Array";
    case napi_int32_array:
      return "Int32Array";
    case napi_uint32_array:
      return "Uint32Array";
    default:
      return "Float32Array";
  }
}

bool get_array(napi_env env, napi_value value, const char *name, napi_typedarray_type type, array *out) {
  bool is_array = false;
  napi_typedarray_type given;
  napi_is_typedarray(env, value, &is_array);
  if (!is_array ||
      napi_get_typedarray_info(env, value, &given, &out->length, &out->data, NULL, NULL) != napi_ok ||
      given != type) {
    return fail(env, "%s must be a %s", name, name_of(type));
  }
  return true;
}

bool get_array_of(napi_env env, napi_value value, const char *name, napi_typedarray_type type, size_t length,
                  array *out) {
  if (!get_array(env, value, name, type, out)) return false;
  if (out->length == length) return true;
  return fail(env, "%s must be a %s of length %zu", name, name_of(type), length);
}
