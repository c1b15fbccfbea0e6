/* Finding TensorFlow Lite's C library. */
#ifndef XR_TFLITE_SESSION_LIBRARY_H
#define XR_TFLITE_SESSION_LIBRARY_H

#include "engines/engine.h"
#include "engines/tflite/symbols.h"

/* Opens the library: `wanted`, else the one that EXRAY_TFLITE_LIB names, else
 * engines/tflite-ARCH/libtensorflowlite_c.so beside the program, one folder up
 * or where `make install` puts it, else the system's.  NULL on failure, error filled. */
void *xr_tflite_open_library(const char *wanted, exray_error *error);

/* engine.h: xr_engine.probe */
void xr_tflite_probe(const char *library, xr_engine_info *info);

#endif
