#include "v4l2-addon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "v4l2.h"

enum { longest_path = 400 };

typedef struct {
  camera *source; /* NULL: closed */
  camera_spec spec;
  double captured_ms;
  uint64_t dropped;
  napi_threadsafe_function notify;
} session;

static const napi_type_tag session_tag = {0x6b6565702d76346cull, 0x322d63616d657261ull};
static const char *const format_names[] = {"nv12", "yuyv", "mjpeg"};

/* On the capturing thread. A queue that is full holds a call already. */
static void notify(void *context) {
  const session *s = context;
  napi_call_threadsafe_function(s->notify, NULL, napi_tsfn_nonblocking);
}

/* On the thread of the script; without `env` it is over there. */
static void call_script(napi_env env, napi_value callback, void *context, void *data) {
  napi_value undefined;
  (void)context;
  (void)data;
  if (env == NULL || napi_get_undefined(env, &undefined) != napi_ok) return;
  napi_call_function(env, undefined, callback, 0, NULL, NULL);
}

static void end_session(void *given) {
  session *s = given;
  if (s->source == NULL) return;
  s->dropped = camera_dropped(s->source);
  camera_close(s->source);
  s->source = NULL;
  napi_release_threadsafe_function(s->notify, napi_tsfn_abort);
}

static void forget_session(napi_env env, void *given, void *hint) {
  (void)hint;
  napi_remove_env_cleanup_hook(env, end_session, given);
  end_session(given);
  free(given);
}

static napi_value throw_fault(napi_env env, const camera_fault *fault) {
  char message[160];
  snprintf(message, sizeof message, "%s%s%s", fault->what, fault->code ? ": " : "",
           fault->code ? strerror(fault->code) : "");
  napi_throw_error(env, NULL, message);
  return NULL;
}

static session *get_session(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  napi_value self;
  void *found = NULL;
  bool is_session = false;
  size_t given = count;
  if (napi_get_cb_info(env, info, &given, values, &self, NULL) != napi_ok || given < count) {
    fail(env, "%zu arguments are needed, not %zu", count, given);
    return NULL;
  }
  if (napi_check_object_type_tag(env, self, &session_tag, &is_session) != napi_ok || !is_session ||
      napi_unwrap(env, self, &found) != napi_ok) {
    fail(env, "this is no camera");
    return NULL;
  }
  return found;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  napi_create_double(env, value, &result);
  return result;
}

/* take(bytes): how many were written; 0: no frame yet, `notify` will be called. */
static napi_value take(napi_env env, napi_callback_info info) {
  napi_value given[1];
  array bytes;
  camera_fault fault;
  size_t size = 0;
  session *s = get_session(env, info, 1, given);
  if (s == NULL) return NULL;
  if (!get_array_of(env, given[0], "bytes", napi_uint8_array, s->spec.size, &bytes)) return NULL;
  if (s->source == NULL) {
    napi_throw_error(env, NULL, "it is closed");
    return NULL;
  }
  switch (camera_take(s->source, bytes.data, &size, &s->captured_ms, &fault)) {
    case take_frame:
      return number(env, (double)size);
    case take_none:
      return number(env, 0);
    default:
      return throw_fault(env, &fault);
  }
}

static napi_value captured_at(napi_env env, napi_callback_info info) {
  const session *s = get_session(env, info, 0, NULL);
  return s == NULL ? NULL : number(env, s->captured_ms);
}

static napi_value dropped(napi_env env, napi_callback_info info) {
  const session *s = get_session(env, info, 0, NULL);
  if (s == NULL) return NULL;
  return number(env, (double)(s->source == NULL ? s->dropped : camera_dropped(s->source)));
}

static napi_value close_session(napi_env env, napi_callback_info info) {
  session *s = get_session(env, info, 0, NULL);
  if (s == NULL) return NULL;
  napi_remove_env_cleanup_hook(env, end_session, s);
  end_session(s);
  return NULL;
}

static bool get_path(napi_env env, napi_value value, char path[longest_path + 1]) {
  size_t length = 0;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok || length < 1 || length > longest_path) {
    return fail(env, "path must be a string of 1 to %d bytes", longest_path);
  }
  napi_get_value_string_utf8(env, value, path, longest_path + 1, NULL);
  return strlen(path) == length || fail(env, "path must not hold a zero");
}

/* `*any`: none was named. */
static bool get_format(napi_env env, napi_value value, camera_format *out, bool *any) {
  napi_valuetype type = napi_undefined;
  char name[8] = "";
  napi_typeof(env, value, &type);
  *any = type == napi_null;
  if (*any) return true;
  if (napi_get_value_string_utf8(env, value, name, sizeof name, NULL) == napi_ok) {
    for (camera_format each = camera_nv12; each <= camera_mjpeg; each++) {
      *out = each;
      if (strcmp(name, format_names[each]) == 0) return true;
    }
  }
  return fail(env, "format must be nv12, yuyv, mjpeg or null");
}

static bool define(napi_env env, napi_value object, const session *s) {
  const struct {
    const char *name;
    napi_callback call;
  } methods[] = {{"take", take}, {"capturedAtMs", captured_at}, {"dropped", dropped}, {"close", close_session}};
  const struct {
    const char *name;
    double value;
  } fields[] = {{"width", s->spec.width}, {"height", s->spec.height}, {"sizeBytes", (double)s->spec.size}};
  napi_value value;
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    if (napi_create_function(env, methods[i].name, NAPI_AUTO_LENGTH, methods[i].call, NULL, &value) != napi_ok ||
        napi_set_named_property(env, object, methods[i].name, value) != napi_ok) {
      return false;
    }
  }
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    if (napi_set_named_property(env, object, fields[i].name, number(env, fields[i].value)) != napi_ok) return false;
  }
  return napi_create_string_utf8(env, format_names[s->spec.format], NAPI_AUTO_LENGTH, &value) == napi_ok &&
         napi_set_named_property(env, object, "format", value) == napi_ok;
}

napi_value open_camera(napi_env env, napi_callback_info info) {
  napi_value given[5], object, name;
  napi_valuetype type = napi_undefined;
  char path[longest_path + 1];
  camera_format format = camera_nv12;
  bool any;
  double width, height;
  camera_fault fault;
  if (!get_arguments(env, info, 5, given, NULL)) return NULL;
  if (!get_path(env, given[0], path) || !get_format(env, given[1], &format, &any)) return NULL;
  if (!get_whole(env, given[2], "width", 0, 8192, &width)) return NULL;
  if (!get_whole(env, given[3], "height", 0, 8192, &height)) return NULL;
  napi_typeof(env, given[4], &type);
  if (type != napi_function) {
    fail(env, "notify must be a function");
    return NULL;
  }
  session *s = calloc(1, sizeof *s);
  if (s == NULL || napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, s, forget_session, NULL, NULL) != napi_ok) {
    free(s);
    return NULL;
  }
  if (napi_type_tag_object(env, object, &session_tag) != napi_ok ||
      napi_create_string_utf8(env, "camera", NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_threadsafe_function(env, given[4], NULL, name, 1, 1, NULL, NULL, s, call_script, &s->notify) !=
          napi_ok) {
    return NULL;
  }
  s->source = camera_open(path, any ? NULL : &format, (int)width, (int)height, notify, s, &s->spec, &fault);
  if (s->source == NULL) {
    napi_release_threadsafe_function(s->notify, napi_tsfn_abort);
    return throw_fault(env, &fault);
  }
  napi_add_env_cleanup_hook(env, end_session, s);
  return define(env, object, s) ? object : NULL;
}

napi_value look_at_camera(napi_env env, napi_callback_info info) {
  napi_value given[1], object, formats, value;
  double fd;
  uint32_t count = 0;
  camera_sight sight;
  camera_fault fault;
  if (!get_arguments(env, info, 1, given, NULL) || !get_whole(env, given[0], "fd", 0, 1 << 20, &fd)) return NULL;
  if (!camera_look((int)fd, &sight, &fault)) return throw_fault(env, &fault);
  if (!sight.captures) return napi_get_null(env, &value) == napi_ok ? value : NULL;
  if (napi_create_object(env, &object) != napi_ok || napi_create_array(env, &formats) != napi_ok ||
      napi_create_string_utf8(env, sight.name, NAPI_AUTO_LENGTH, &value) != napi_ok ||
      napi_set_named_property(env, object, "name", value) != napi_ok) {
    return NULL;
  }
  for (camera_format each = camera_nv12; each <= camera_mjpeg; each++) {
    if (!sight.gives[each]) continue;
    if (napi_create_string_utf8(env, format_names[each], NAPI_AUTO_LENGTH, &value) != napi_ok ||
        napi_set_element(env, formats, count++, value) != napi_ok) {
      return NULL;
    }
  }
  return napi_set_named_property(env, object, "formats", formats) == napi_ok ? object : NULL;
}
