/* dladdr and RTLD_DEFAULT are not in POSIX.1-2008. */
#define _GNU_SOURCE
#include "engines/tflite/symbols.h"

#include "models/refuse.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef struct symbol {
    const char *name;
    const char *older;
    size_t offset; /* of the function pointer in the table */
} symbol;

static const symbol tap_symbols[] = {
#define ENTRY(result, name, older, arguments)                                                                \
    {"TfLite" #name, "TfLite" #older, offsetof(xr_tflite_tap_api, name)},
    XR_TFLITE_TAP_FUNCTIONS(ENTRY)
#undef ENTRY
};

static const symbol session_symbols[] = {
#define ENTRY(result, name, older, arguments)                                                                \
    {"TfLite" #name, "TfLite" #older, offsetof(xr_tflite_session_api, name)},
    XR_TFLITE_SESSION_FUNCTIONS(ENTRY)
#undef ENTRY
};

static const symbol xnnpack_symbols[] = {
#define ENTRY(result, name, older, arguments)                                                                \
    {"TfLite" #name, "TfLite" #older, offsetof(xr_tflite_xnnpack_api, name)},
    XR_TFLITE_XNNPACK_FUNCTIONS(ENTRY)
#undef ENTRY
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void *look_up(void *library, const char *name)
{
    return dlsym(library ? library : RTLD_DEFAULT, name);
}

/* Returns the first symbol that is missing, or NULL. */
static const symbol *find_all(void *library, const symbol *symbols, size_t count, void *table)
{
    for (size_t i = 0; i < count; i++) {
        void *address = look_up(library, symbols[i].name);
        if (!address)
            address = look_up(library, symbols[i].older);
        if (!address)
            return &symbols[i];
        /* ISO C has no cast from an object pointer to a function pointer; POSIX
         * promises that they look the same. */
        memcpy((char *)table + symbols[i].offset, &address, sizeof address);
    }
    return NULL;
}

void xr_tflite_identify(void *library, char version[32], char path[1024])
{
    version[0] = path[0] = '\0';
    void *address = look_up(library, "TfLiteVersion");
    if (!address)
        return;
    const char *(*get_version)(void);
    memcpy(&get_version, &address, sizeof address);
    const char *text = get_version();
    snprintf(version, 32, "%s", text ? text : "");
    Dl_info info;
    if (dladdr(address, &info) && info.dli_fname)
        snprintf(path, 1024, "%s", info.dli_fname);
}

static exray_status find(void *library, const symbol *symbols, size_t count, void *table, const char *needed,
                         exray_error *error)
{
    const symbol *missing = find_all(library, symbols, count, table);
    if (!missing)
        return EXRAY_OK;
    char version[32], path[1024];
    xr_tflite_identify(library, version, path);
    if (!version[0] && !path[0])
        return xr_refuse(error, EXRAY_E_ENGINE,
                         "no TensorFlow Lite found (no symbol TfLiteVersion): link the program with "
                         "libtensorflowlite_c, or load it and give its handle");
    return xr_refuse(error, EXRAY_E_ENGINE, "TensorFlow Lite %s (%.300s) has no %s: %s",
                     version[0] ? version : "of unknown version", path[0] ? path : "linked into the program",
                     missing->name, needed);
}

#define TAP_NEEDS "observing layers needs version 2.14 or newer (2.17.1 and 2.20.0 are known to work)"

exray_status xr_tflite_find_tap(void *library, xr_tflite_tap_api *api, exray_error *error)
{
    return find(library, tap_symbols, COUNT(tap_symbols), api, TAP_NEEDS, error);
}

exray_status xr_tflite_find_session(void *library, xr_tflite_session_api *api, exray_error *error)
{
    return find(library, session_symbols, COUNT(session_symbols), api,
                "it is no complete TensorFlow Lite C library of version 2.14 or newer", error);
}

exray_status xr_tflite_find_xnnpack(void *library, xr_tflite_xnnpack_api *api, exray_error *error)
{
    return find(library, xnnpack_symbols, COUNT(xnnpack_symbols), api,
                "it was built without XNNPACK; use builtin kernels, or another library", error);
}
