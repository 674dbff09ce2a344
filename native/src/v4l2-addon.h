/* Glue between scripts and v4l2.h. */
#ifndef DOORKEEP_V4L2_ADDON_H
#define DOORKEEP_V4L2_ADDON_H

#include <node_api.h>

/* openCamera(path, format | null, width, height, notify): see NativeCamera in agent/io/camera/native-camera.ts. */
napi_value open_camera(napi_env env, napi_callback_info info);

/* lookAtCamera(fd): { name, formats }, or null of a node that captures no pictures; see LookAtCamera there. */
napi_value look_at_camera(napi_env env, napi_callback_info info);

#endif
