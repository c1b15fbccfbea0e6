/* Finding TensorFlow Lite's C library. */
#include "engines/tflite/session_library.h"
#include "engines/library.h"
#include "engines/session_open.h"

#include <dlfcn.h>
#include <string.h>

static const char *const system_names[] = {"libtensorflowlite_c.so", "libtensorflow-lite.so", NULL};

static const xr_library_place place = {
    .engine = "TensorFlow Lite",
    .bundled = "engines/tflite-" XR_ARCH "/libtensorflowlite_c.so",
    .package = XR_PACKAGE_TFLITE,
    .environment = "EXRAY_TFLITE_LIB",
    .symbol = "TfLiteVersion",
    .system_names = system_names,
};

void *xr_tflite_open_library(const char *wanted, exray_error *error)
{
    return xr_library_open(&place, wanted, error);
}

void xr_tflite_probe(const char *wanted, xr_engine_info *info)
{
    memset(info, 0, sizeof *info);
    exray_error error = {EXRAY_OK, ""};
    void *library = xr_tflite_open_library(wanted, &error);
    if (library) {
        info->found = true;
        xr_tflite_identify(library, info->version, info->library);
        xr_tflite_tap_api tap;
        xr_tflite_session_api session;
        if (xr_tflite_find_tap(library, &tap, &error) == EXRAY_OK)
            xr_tflite_find_session(library, &session, &error);
        dlclose(library);
    }
    xr_engine_info_problem(info, &error);
}
