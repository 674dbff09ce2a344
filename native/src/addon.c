/* Glue between scripts and the kernels: `available`, the names of the sets that this processor can run,
 * best first, and `kernels(name)`, a set with the methods of `Kernels` in agent/ports.ts. And between
 * scripts and memory.h: `secureBuffer(sizeBytes)`, `wipe(bytes)`, `hardenProcess()`; and process.h:
 * `lockFile(fd)`, `peerCredentials(fd)`, `clockSynchronised()`, `notifySocket(name,
 * message)`, `exitNow(status)`. No state here; `openCamera` and `lookAtCamera` are in v4l2-addon.c. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "arguments.h"
#include "memory.h"
#include "process.h"
#include "v4l2-addon.h"

/* Far above all keys together; less than a script may ask an ordinary array for. */
enum { max_secure_bytes = 1 << 30 };

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

static napi_value letterbox(napi_env env, napi_callback_info info) {
  const kernel_set *set;
  napi_value given[5], pixels;
  frame from;
  pixel_spec spec;
  int width, height;
  array tensor;
  if (!get_arguments(env, info, 5, given, &set)) return NULL;
  if (!get_frame(env, given[0], &from, &pixels)) return NULL;
  if (!get_spec(env, given[1], &spec)) return NULL;
  if (!get_side(env, given[2], "width", &width)) return NULL;
  if (!get_side(env, given[3], "height", &height)) return NULL;
  if (!get_pixels(env, pixels, &from)) return NULL;
  const size_t length = 3 * (size_t)width * (size_t)height;
  if (!get_array_of(env, given[4], "tensor", napi_float32_array, length, &tensor)) return NULL;
  return number(env, set->letterbox(&from, &spec, width, height, tensor.data));
}

static napi_value warp(napi_env env, napi_callback_info info) {
  const kernel_set *set;
  napi_value given[3], pixels, chip_pixels;
  frame from;
  double matrix[6];
  int width, height;
  array chip;
  if (!get_arguments(env, info, 3, given, &set)) return NULL;
  if (!get_frame(env, given[0], &from, &pixels)) return NULL;
  if (!get_finite(env, given[1], "chipToFrame", 6, matrix)) return NULL;
  if (!get_chip(env, given[2], &width, &height, &chip_pixels)) return NULL;
  if (!get_pixels(env, pixels, &from)) return NULL;
  const size_t length = 3 * (size_t)width * (size_t)height;
  if (!get_array_of(env, chip_pixels, "chip.data", napi_uint8_array, length, &chip)) return NULL;
  set->warp(&from, matrix, width, height, chip.data);
  return NULL;
}

static napi_value normalise(napi_env env, napi_callback_info info) {
  const kernel_set *set;
  napi_value given[3], pixels;
  pixel_spec spec;
  int width, height;
  array chip, tensor;
  if (!get_arguments(env, info, 3, given, &set)) return NULL;
  if (!get_chip(env, given[0], &width, &height, &pixels)) return NULL;
  if (!get_spec(env, given[1], &spec)) return NULL;
  const size_t length = 3 * (size_t)width * (size_t)height;
  if (!get_array_of(env, pixels, "chip.data", napi_uint8_array, length, &chip)) return NULL;
  if (!get_array_of(env, given[2], "tensor", napi_float32_array, length, &tensor)) return NULL;
  set->normalise(chip.data, width, height, &spec, tensor.data);
  return NULL;
}

static napi_value project(napi_env env, napi_callback_info info) {
  const kernel_set *set;
  napi_value given[3];
  array signs, q, y;
  if (!get_arguments(env, info, 3, given, &set)) return NULL;
  if (!get_array(env, given[1], "q", napi_int8_array, &q)) return NULL;
  if (q.length < 1 || q.length > max_dimensions) {
    fail(env, "q must be an Int8Array of length 1 to %d", max_dimensions);
    return NULL;
  }
  if (!get_array(env, given[2], "y", napi_int32_array, &y)) return NULL;
  if (y.length > max_bits) {
    fail(env, "y must be an Int32Array of length 0 to %d", max_bits);
    return NULL;
  }
  const size_t length = (y.length * q.length + 7) / 8;
  if (!get_array_of(env, given[0], "signs", napi_uint8_array, length, &signs)) return NULL;
  set->project(signs.data, q.data, q.length, y.data, y.length);
  return NULL;
}

typedef struct {
  array table, probe, rows, results;
  size_t count;
} scan;

static bool get_scan(napi_env env, napi_value given[5], napi_typedarray_type input,
                     napi_typedarray_type output, scan *s) {
  double count;
  if (!get_whole(env, given[1], "count", 0, UINT32_MAX, &count)) return false;
  if (!get_array(env, given[2], "probe", input, &s->probe)) return false;
  if (s->probe.length == 0) return fail(env, "probe must not be empty");
  if (!get_array(env, given[0], "the table", input, &s->table)) return false;
  s->count = (size_t)count;
  if (s->count > s->table.length / s->probe.length) {
    return fail(env, "the table must hold %zu rows as long as the probe", s->count);
  }
  if (!get_array(env, given[3], "rows", napi_uint32_array, &s->rows)) return false;
  return get_array_of(env, given[4], "the results", output, s->rows.length, &s->results);
}

static napi_value hamming_top_k(napi_env env, napi_callback_info info) {
  const kernel_set *set;
  napi_value given[5];
  scan s;
  if (!get_arguments(env, info, 5, given, &set)) return NULL;
  if (!get_scan(env, given, napi_uint8_array, napi_uint32_array, &s)) return NULL;
  return number(env, (double)set->hamming_top_k(s.table.data, s.count, s.probe.data, s.probe.length,
                                                s.rows.data, s.results.data, s.rows.length));
}

static napi_value dot_top_k(napi_env env, napi_callback_info info) {
  const kernel_set *set;
  napi_value given[5];
  scan s;
  if (!get_arguments(env, info, 5, given, &set)) return NULL;
  if (!get_scan(env, given, napi_float32_array, napi_float32_array, &s)) return NULL;
  const float *probe = s.probe.data;
  for (size_t i = 0; i < s.probe.length; i++) {
    if (isfinite(probe[i])) continue;
    fail(env, "probe must hold finite numbers");
    return NULL;
  }
  return number(env, (double)set->dot_top_k(s.table.data, s.count, probe, s.probe.length, s.rows.data,
                                            s.results.data, s.rows.length));
}

static napi_value set_object(napi_env env, const kernel_set *set) {
  static const struct {
    const char *name;
    napi_callback call;
  } methods[] = {
      {"letterbox", letterbox}, {"warp", warp},
      {"normalise", normalise}, {"project", project},
      {"hammingTopK", hamming_top_k}, {"dotTopK", dot_top_k},
  };
  napi_value object, name, method;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  if (napi_create_string_utf8(env, set->name, NAPI_AUTO_LENGTH, &name) != napi_ok) return NULL;
  if (napi_set_named_property(env, object, "name", name) != napi_ok) return NULL;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (napi_create_function(env, methods[i].name, NAPI_AUTO_LENGTH, methods[i].call, (void *)set,
                             &method) != napi_ok ||
        napi_set_named_property(env, object, methods[i].name, method) != napi_ok) {
      return NULL;
    }
  }
  return object;
}

static napi_value kernels(napi_env env, napi_callback_info info) {
  napi_value given[1];
  char name[16] = "";
  if (!get_arguments(env, info, 1, given, NULL)) return NULL;
  if (napi_get_value_string_utf8(env, given[0], name, sizeof name, NULL) == napi_ok) {
    const kernel_set *set;
    for (size_t i = 0; (set = available_kernels(i)) != NULL; i++) {
      if (strcmp(name, set->name) == 0) return set_object(env, set);
    }
  }
  fail(env, "kernels: the name must be one of `available`");
  return NULL;
}

static napi_value flags(napi_env env, size_t count, const char *const names[], const bool values[]) {
  napi_value object, value;
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  for (size_t i = 0; i < count; i++) {
    if (napi_get_boolean(env, values[i], &value) != napi_ok ||
        napi_set_named_property(env, object, names[i], value) != napi_ok) {
      return NULL;
    }
  }
  return object;
}

/* Runs when no script can reach the array any more, or the thread ends. */
static void release(napi_env env, void *memory, void *size) {
  (void)env;
  secure_free(memory, (size_t)(uintptr_t)size);
}

/* { bytes: Uint8Array, locked: boolean } */
static napi_value secure_buffer(napi_env env, napi_callback_info info) {
  napi_value given[1], buffer, bytes, result;
  double whole;
  bool locked = false;
  if (!get_arguments(env, info, 1, given, NULL)) return NULL;
  if (!get_whole(env, given[0], "sizeBytes", 1, max_secure_bytes, &whole)) return NULL;
  const size_t size = (size_t)whole;
  void *memory = secure_allocate(size, &locked);
  if (memory == NULL) {
    napi_throw_range_error(env, NULL, "there is no memory for keys left");
    return NULL;
  }
  if (napi_create_external_arraybuffer(env, memory, size, release, (void *)(uintptr_t)size, &buffer) != napi_ok) {
    secure_free(memory, size);
    napi_throw_range_error(env, NULL, "this runtime takes no memory from outside");
    return NULL;
  }
  if (napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &bytes) != napi_ok) return NULL;
  result = flags(env, 1, (const char *const[]){"locked"}, (const bool[]){locked});
  if (result == NULL || napi_set_named_property(env, result, "bytes", bytes) != napi_ok) return NULL;
  return result;
}

static napi_value wipe(napi_env env, napi_callback_info info) {
  napi_value given[1];
  array bytes;
  if (!get_arguments(env, info, 1, given, NULL)) return NULL;
  if (!get_array(env, given[0], "bytes", napi_uint8_array, &bytes)) return NULL;
  if (bytes.length > 0) secure_wipe(bytes.data, bytes.length);
  return NULL;
}

/* { noCoreFiles: boolean, noInspection: boolean }: what worked. */
static napi_value harden_process(napi_env env, napi_callback_info info) {
  (void)info;
  return flags(env, 2, (const char *const[]){"noCoreFiles", "noInspection"},
               (const bool[]){forbid_core_files(), forbid_inspection()});
}

/* What the system refused, as an Error: no argument was wrong. */
static napi_value system_fault(napi_env env, const char *call, int code) {
  char message[160];
  snprintf(message, sizeof message, "%s: %s", call, strerror(code));
  napi_throw_error(env, NULL, message);
  return NULL;
}

static bool get_descriptor(napi_env env, napi_callback_info info, int *out) {
  napi_value given[1];
  double fd;
  if (!get_arguments(env, info, 1, given, NULL)) return false;
  if (!get_whole(env, given[0], "fd", 0, INT_MAX, &fd)) return false;
  *out = (int)fd;
  return true;
}

static napi_value clock_kept(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  (void)info;
  return napi_get_boolean(env, clock_synchronised(), &result) == napi_ok ? result : NULL;
}

/* True: the file is ours now. False: another holds it. */
static napi_value lock_file_now(napi_env env, napi_callback_info info) {
  int fd;
  bool locked;
  napi_value result;
  if (!get_descriptor(env, info, &fd)) return NULL;
  const int code = lock_file(fd, &locked);
  if (code != 0) return system_fault(env, "flock", code);
  return napi_get_boolean(env, locked, &result) == napi_ok ? result : NULL;
}

/* { pid, uid, gid } */
static napi_value peer_of(napi_env env, napi_callback_info info) {
  int fd;
  peer found;
  napi_value object;
  if (!get_descriptor(env, info, &fd)) return NULL;
  const int code = peer_credentials(fd, &found);
  if (code != 0) return system_fault(env, "getsockopt", code);
  const struct {
    const char *name;
    double value;
  } fields[] = {{"pid", found.pid}, {"uid", found.uid}, {"gid", found.gid}};
  if (napi_create_object(env, &object) != napi_ok) return NULL;
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const napi_value value = number(env, fields[i].value);
    if (napi_set_named_property(env, object, fields[i].name, value) != napi_ok) return NULL;
  }
  return object;
}

static bool get_text(napi_env env, napi_value value, const char *name, char *out, size_t most, size_t *length) {
  if (napi_get_value_string_utf8(env, value, NULL, 0, length) != napi_ok || *length < 1 || *length > most) {
    return fail(env, "%s must be a string of 1 to %zu bytes", name, most);
  }
  return napi_get_value_string_utf8(env, value, out, most + 1, NULL) == napi_ok;
}

static napi_value notify_socket_now(napi_env env, napi_callback_info info) {
  enum { most_name = 107, most_message = 4096 };
  napi_value given[2];
  char name[most_name + 1], message[most_message + 1];
  size_t name_length, length;
  if (!get_arguments(env, info, 2, given, NULL)) return NULL;
  if (!get_text(env, given[0], "name", name, most_name, &name_length)) return NULL;
  if (!get_text(env, given[1], "message", message, most_message, &length)) return NULL;
  const int code = notify_socket(name, message, length);
  return code == 0 ? NULL : system_fault(env, "sendto", code);
}

static napi_value exit_now(napi_env env, napi_callback_info info) {
  napi_value given[1];
  double status;
  if (!get_arguments(env, info, 1, given, NULL)) return NULL;
  if (!get_whole(env, given[0], "status", 0, 255, &status)) return NULL;
  _exit((int)status);
}

static bool export(napi_env env, napi_value exports, const char *name, napi_callback call) {
  napi_value function;
  return napi_create_function(env, name, NAPI_AUTO_LENGTH, call, NULL, &function) == napi_ok &&
         napi_set_named_property(env, exports, name, function) == napi_ok;
}

NAPI_MODULE_INIT() {
  napi_value available, name;
  if (napi_create_array(env, &available) != napi_ok) return NULL;
  const kernel_set *set;
  for (uint32_t i = 0; (set = available_kernels(i)) != NULL; i++) {
    if (napi_create_string_utf8(env, set->name, NAPI_AUTO_LENGTH, &name) != napi_ok ||
        napi_set_element(env, available, i, name) != napi_ok) {
      return NULL;
    }
  }
  const bool complete = napi_set_named_property(env, exports, "available", available) == napi_ok &&
                        export(env, exports, "kernels", kernels) &&
                        export(env, exports, "secureBuffer", secure_buffer) &&
                        export(env, exports, "wipe", wipe) &&
                        export(env, exports, "hardenProcess", harden_process) &&
                        export(env, exports, "lockFile", lock_file_now) &&
                        export(env, exports, "peerCredentials", peer_of) &&
                        export(env, exports, "clockSynchronised", clock_kept) &&
                        export(env, exports, "notifySocket", notify_socket_now) &&
                        export(env, exports, "exitNow", exit_now) &&
                        export(env, exports, "openCamera", open_camera) &&
                        export(env, exports, "lookAtCamera", look_at_camera);
  return complete ? exports : NULL;
}
