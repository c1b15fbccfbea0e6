#include "ort.h"

#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

typedef void (*ort_function)(void);
typedef struct OrtApiBase {
    const ort_function *(*GetApi)(uint32_t version);
    const char *(*GetVersionString)(void);
} OrtApiBase;

static const char *const system_names[] = {"libonnxruntime.so.1", "libonnxruntime.so", NULL};

static const xr_library_place place = {
    .engine = "ONNX Runtime",
    .bundled = "engines/onnxruntime-" XR_ARCH "/libonnxruntime.so",
    .environment = "EXRAY_ORT_LIB",
    .symbol = "OrtGetApiBase",
    .system_names = system_names,
};

void *xr_ort_open_library(const char *wanted, exray_error *error)
{
    return xr_library_open(&place, wanted, error);
}

exray_status xr_ort_find(void *library, xr_ort_api *api, exray_error *error)
{
    void *address = dlsym(library, place.symbol);
    const OrtApiBase *(*get_base)(void);
    memcpy(&get_base, &address, sizeof address); /* as POSIX promises of dlsym */
    const OrtApiBase *base = address ? get_base() : NULL;
    const char *version = base ? base->GetVersionString() : NULL;
    const ort_function *table = base ? base->GetApi(XR_ORT_API_VERSION) : NULL;
    if (!table) {
        error->status = EXRAY_E_ENGINE;
        snprintf(error->message, sizeof error->message,
                 "ONNX Runtime %.30s is too old: version 1.%d or newer is needed (" XR_ORT_TESTED
                 " is known to work); name another with --engine-lib or EXRAY_ORT_LIB",
                 version ? version : "of unknown version", XR_ORT_API_VERSION);
        return error->status;
    }
    /* Every pointer to a function is as long as any other. */
#define FETCH(position, result, name, arguments) memcpy(&api->name, &table[position], sizeof api->name);
    XR_ORT_FUNCTIONS(FETCH)
#undef FETCH
    snprintf(api->version, sizeof api->version, "%s", version);
    return EXRAY_OK;
}

/* ONNXTensorElementDataType. */
static const struct {
    int type;
    exray_dtype dtype;
} types[] = {
    {1, EXRAY_FLOAT32}, {2, EXRAY_UINT8},     {3, EXRAY_INT8},         {4, EXRAY_UINT16},
    {5, EXRAY_INT16},   {6, EXRAY_INT32},     {7, EXRAY_INT64},        {8, EXRAY_STRING},
    {9, EXRAY_BOOL},    {10, EXRAY_FLOAT16},  {11, EXRAY_FLOAT64},     {12, EXRAY_UINT32},
    {13, EXRAY_UINT64}, {16, EXRAY_BFLOAT16}, {17, EXRAY_FLOAT8_E4M3}, {19, EXRAY_FLOAT8_E5M2},
    {21, EXRAY_UINT4},  {22, EXRAY_INT4},
};

exray_dtype xr_ort_dtype(int type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].dtype;
    return EXRAY_UNSPECIFIED;
}

int xr_ort_type(exray_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype)
            return types[i].type;
    return 0;
}
