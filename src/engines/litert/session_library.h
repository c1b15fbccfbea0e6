/* Finding LiteRT's library. */
#ifndef XR_LITERT_SESSION_LIBRARY_H
#define XR_LITERT_SESSION_LIBRARY_H

#include "engines/engine.h"
#include "engines/litert/litert.h"

/* Opens the library (`wanted`; NULL: the usual places) and finds its functions.
 * `version` gets what it is.  NULL on failure, error filled: not there, not LiteRT,
 * or of a version whose functions are not known to be as litert_c.h declares them. */
void *xr_litert_open(const char *wanted, xr_litert_api *api, char version[32], exray_error *error);

/* engine.h: xr_engine.probe */
void xr_litert_probe(const char *library, xr_engine_info *info);

#endif
