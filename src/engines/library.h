/* Finding an engine's shared library: all adapters look in the same places. */
#ifndef XR_LIBRARY_H
#define XR_LIBRARY_H

#include <exray/types.h>

#if defined(__x86_64__)
#define XR_ARCH "x86_64"
#elif defined(__aarch64__)
#define XR_ARCH "aarch64"
#elif defined(__arm__)
#define XR_ARCH "arm"
#elif defined(__riscv)
#define XR_ARCH "riscv64"
#else
#define XR_ARCH "unknown"
#endif

/* The packages of the Python Package Index that carry the pinned engines, for messages: who has the program
 * from a wheel has no bootstrap script. */
#define XR_PACKAGE_TFLITE "pymicro-wakeword 2.5.0"
#define XR_PACKAGE_LITERT "ai-edge-litert 2.3.0"
#define XR_PACKAGE_ORT    "onnxruntime 1.32.0"

typedef struct xr_library_place {
    const char *engine;              /* "TensorFlow Lite", for messages */
    const char *bundled;             /* "engines/tflite-" XR_ARCH "/libtensorflowlite_c.so" */
    const char *package;             /* that carries it */
    const char *environment;         /* "EXRAY_TFLITE_LIB": names the file */
    const char *symbol;              /* one that only this library has */
    const char *const *system_names; /* NULL-terminated, for the loader's own search */
} xr_library_place;

/* Loads the library that --engine-lib names (`wanted`; NULL: none), else the
 * environment, else one below the program's folder, else the system's.  A dlopen
 * handle; NULL: error says what was missing and how to get it. */
void *xr_library_open(const xr_library_place *place, const char *wanted, exray_error *error);

#endif
