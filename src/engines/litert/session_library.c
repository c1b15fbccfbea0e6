/* Finding LiteRT's library. */
#include "engines/litert/session_library.h"
#include "engines/library.h"
#include "engines/session_open.h"

#include <string.h>

static const char *const system_names[] = {"libLiteRt.so", NULL};

static const xr_library_place place = {
    .engine = "LiteRT",
    .bundled = "engines/litert-" XR_ARCH "/libLiteRt.so",
    .package = XR_PACKAGE_LITERT,
    .environment = "EXRAY_LITERT_LIB",
    .symbol = XR_LITERT_OWN_SYMBOL,
    .system_names = system_names,
};

void *xr_litert_open(const char *wanted, xr_litert_api *api, char version[32], exray_error *error)
{
    void *library = xr_library_open(&place, wanted, error);
    if (!library)
        return NULL;
    char path[1024];
    xr_litert_locate(library, path);
    if (xr_litert_identify(path, NULL, version, error) == EXRAY_OK &&
        xr_litert_find(library, path, api, error) == EXRAY_OK)
        return library;
    return NULL; /* and stays loaded: see below */
}

void xr_litert_probe(const char *wanted, xr_engine_info *info)
{
    memset(info, 0, sizeof *info);
    exray_error error = {EXRAY_OK, ""};
    void *library = xr_library_open(&place, wanted, &error);
    if (library) {
        xr_litert_api api;
        info->found = true;
        xr_litert_locate(library, info->library);
        if (xr_litert_identify(info->library, NULL, info->version, &error) == EXRAY_OK)
            xr_litert_find(library, info->library, &api, &error);
        /* Not closed: what the library registers for the process's exit would be called after it is unloaded
         * (2.3.0: a crash at exit). */
    }
    xr_engine_info_problem(info, &error);
}
