/* Finding TensorFlow Lite's C library. */
#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH "x86_64"
#elif defined(__aarch64__)
#define ARCH "aarch64"
#elif defined(__arm__)
#define ARCH "arm"
#elif defined(__riscv)
#define ARCH "riscv64"
#else
#define ARCH "unknown"
#endif

#define BUNDLED "engines/tflite-" ARCH "/libtensorflowlite_c.so"

/* From the program's folder: as built; from build/tests and the like; as installed. */
static const char *const bundled[] = {BUNDLED, "../" BUNDLED, EXRAY_INSTALLED "/" BUNDLED};

static const char *const system_names[] = {"libtensorflowlite_c.so", "libtensorflow-lite.so"};

static void *open_named(const char *path, const char *named_by, exray_error *error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        error->status = EXRAY_E_ENGINE;
        snprintf(error->message, sizeof error->message, "cannot load the library that %s names: %.350s",
                 named_by, why ? why : path);
    } else if (!dlsym(library, "TfLiteVersion")) {
        dlclose(library);
        library = NULL;
        error->status = EXRAY_E_ENGINE;
        snprintf(error->message, sizeof error->message,
                 "%.300s, which %s names, is not TensorFlow Lite: it has no symbol TfLiteVersion; "
                 "name a libtensorflowlite_c.so",
                 path, named_by);
    }
    return library;
}

/* `place` is relative to the program's folder: false where there is no such file. */
static bool find_bundled(const char *place, char path[4096])
{
    ssize_t length = readlink("/proc/self/exe", path, 4096 - 1);
    if (length <= 0)
        return false;
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (!slash || (size_t)(slash - path) + 1 + strlen(place) >= 4096)
        return false;
    strcpy(slash + 1, place);
    return access(path, R_OK) == 0;
}

void *xr_tflite_open_library(const char *wanted, exray_error *error)
{
    if (wanted)
        return open_named(wanted, "--engine-lib", error);
    const char *environment = getenv("EXRAY_TFLITE_LIB");
    if (environment && *environment)
        return open_named(environment, "EXRAY_TFLITE_LIB", error);
    char path[4096];
    for (size_t i = 0; i < sizeof bundled / sizeof bundled[0]; i++)
        if (find_bundled(bundled[i], path))
            return open_named(path, "the program's own folder", error);
    for (size_t i = 0; i < sizeof system_names / sizeof system_names[0]; i++) {
        void *library = dlopen(system_names[i], RTLD_NOW | RTLD_LOCAL);
        if (library)
            return library;
    }
    error->status = EXRAY_E_ENGINE;
    snprintf(error->message, sizeof error->message,
             "TensorFlow Lite's C library was not found (" BUNDLED
             " beside the program, or on the system): name "
             "it with --engine-lib or EXRAY_TFLITE_LIB, or run scripts/bootstrap.sh engine");
    return NULL;
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
    /* The message may be longer than its place: its end is advice. */
    snprintf(info->problem, sizeof info->problem, "%.*s", (int)sizeof info->problem - 1, error.message);
}
