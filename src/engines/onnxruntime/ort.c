#include "engines/onnxruntime/ort.h"

#include "models/refuse.h"

#include <stdio.h>
#include <string.h>

/* ---- Errors ------------------------------------------------------------------- */

exray_status xr_ort_check(const xr_ort_api *api, OrtStatus *status, const char *what, exray_error *error)
{
    if (!status)
        return EXRAY_OK;
    const char *message = api->GetErrorMessage(status);
    xr_refuse(error, EXRAY_E_ENGINE, "ONNX Runtime: %.120s: %.300s", what, message ? message : "?");
    error->message[strcspn(error->message, "\r\n")] = '\0';
    api->ReleaseStatus(status);
    return error->status;
}

exray_status xr_ort_no_memory(exray_error *error)
{
    return xr_refuse(error, EXRAY_E_MEMORY, "ONNX Runtime: %s", "out of memory");
}

/* ---- The table of functions ------------------------------------------------------ */

exray_status xr_ort_fill(const OrtApiBase *base, xr_ort_api *api, exray_error *error)
{
    const char *version = base ? base->GetVersionString() : NULL;
    const xr_ort_function *table = base ? base->GetApi(XR_ORT_API_VERSION) : NULL;
    if (!table)
        return xr_refuse(
            error, EXRAY_E_ENGINE,
            "ONNX Runtime %.30s is too old: version 1.%d or newer is needed (" XR_ORT_TESTED
            " is known to work); name another with --engine-lib or EXRAY_ORT_LIB, or link a newer one",
            version ? version : "of unknown version", XR_ORT_API_VERSION);
        /* All function pointers have one size. */
#define FETCH(position, result, name, arguments) memcpy(&api->name, &table[position], sizeof api->name);
    XR_ORT_FUNCTIONS(FETCH)
#undef FETCH
    snprintf(api->version, sizeof api->version, "%s", version ? version : "");
    return EXRAY_OK;
}

/* ---- Sessions ------------------------------------------------------------------- */

bool xr_ort_level(const char *kernels, int *level)
{
    static const struct {
        const char *name;
        int level;
    } levels[] = {
        {"default", XR_ORT_LEVEL_ALL}, {"extended", XR_ORT_LEVEL_EXTENDED}, {"none", XR_ORT_LEVEL_NONE}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(kernels ? kernels : "default", levels[i].name) == 0) {
            *level = levels[i].level;
            return true;
        }
    return false;
}

static exray_status make_options(const xr_ort_api *api, const xr_ort_making *how, OrtSessionOptions **options,
                                 exray_error *error)
{
    OrtStatus *made =
        how->options ? api->CloneSessionOptions(how->options, options) : api->CreateSessionOptions(options);
    exray_status status = xr_ort_check(api, made, "options", error);
    if (!status)
        status =
            xr_ort_check(api, api->SetSessionGraphOptimizationLevel(*options, how->level), "options", error);
    if (!status && how->threads)
        status = xr_ort_check(api, api->SetIntraOpNumThreads(*options, (int)how->threads), "threads", error);
    if (!status)
        status =
            xr_ort_check(api, api->SetSessionLogSeverityLevel(*options, XR_ORT_LOG_ERROR), "options", error);
    if (!status && how->options) /* or two sessions would write one file */
        status = xr_ort_check(api, api->DisableProfiling(*options), "options", error);
    if (!status && how->saved)
        status = xr_ort_check(api, api->SetOptimizedModelFilePath(*options, how->saved), "options", error);
    return status;
}

exray_status xr_ort_create(const xr_ort_api *api, const xr_ort_making *how, const void *model, size_t size,
                           OrtSession **out, exray_error *error)
{
    OrtSessionOptions *options = NULL;
    exray_status status = make_options(api, how, &options, error);
    if (!status)
        status = xr_ort_check(api, api->CreateSessionFromArray(how->env, model, size, options, out),
                              "cannot load the model", error);
    if (options)
        api->ReleaseSessionOptions(options);
    return status;
}

OrtStatus *xr_ort_run(const xr_ort_api *api, const xr_ort_call *call)
{
    return api->Run(call->session, call->options, call->input_name, call->input, call->input_count,
                    call->output_name, call->output_count, call->output);
}

/* ---- Values ------------------------------------------------------------------------ */

/* ONNX Runtime may give an address in an accelerator's memory, which must not be read. */
static bool is_in_memory(const xr_ort_api *api, const OrtValue *value)
{
    const OrtMemoryInfo *where = NULL;
    const char *name = NULL;
    exray_error ignored = {EXRAY_OK, ""};
    return !xr_ort_check(api, api->GetTensorMemoryInfo(value, &where), "", &ignored) && where &&
           !xr_ort_check(api, api->MemoryInfoGetName(where, &name), "", &ignored) && name &&
           strcmp(name, "Cpu") == 0;
}

bool xr_ort_describe(const xr_ort_api *api, const OrtValue *value, exray_tensor_info *info,
                     int64_t shape[EXRAY_MAX_RANK], const void **data, size_t *size)
{
    OrtTensorTypeAndShapeInfo *tensor = NULL;
    int element = 0, is_tensor = 0;
    size_t rank = 0;
    void *bytes = NULL;
    exray_error ignored = {EXRAY_OK, ""};
    bool ok = value && !xr_ort_check(api, api->IsTensor(value, &is_tensor), "", &ignored) && is_tensor &&
              is_in_memory(api, value) &&
              !xr_ort_check(api, api->GetTensorTypeAndShape(value, &tensor), "", &ignored) &&
              !xr_ort_check(api, api->GetTensorElementType(tensor, &element), "", &ignored) &&
              !xr_ort_check(api, api->GetDimensionsCount(tensor, &rank), "", &ignored) &&
              rank <= EXRAY_MAX_RANK &&
              !xr_ort_check(api, api->GetDimensions(tensor, shape, rank), "", &ignored);
    if (tensor)
        api->ReleaseTensorTypeAndShapeInfo(tensor);
    if (!ok)
        return false;
    info->dtype = xr_ort_dtype(element);
    info->rank = (uint32_t)rank;
    info->shape = shape;
    uint64_t bits = exray_dtype_bits(info->dtype);
    for (size_t i = 0; i < rank; i++)
        bits *= (uint64_t)shape[i];
    *size = (size_t)((bits + 7) / 8);
    if (exray_dtype_bits(info->dtype) == 0)
        return false; /* strings */
    /* The interface has the mutable one only; nothing is changed. */
    union {
        const OrtValue *in;
        OrtValue *out;
    } access = {value};
    ok = !xr_ort_check(api, api->GetTensorMutableData(access.out, &bytes), "", &ignored);
    *data = *size ? bytes : "";
    return ok;
}

/* ONNXTensorElementDataType. */
static const struct {
    int type;
    exray_dtype dtype;
} types[] = {
    {1, EXRAY_DTYPE_FLOAT32},      {2, EXRAY_DTYPE_UINT8},     {3, EXRAY_DTYPE_INT8},
    {4, EXRAY_DTYPE_UINT16},       {5, EXRAY_DTYPE_INT16},     {6, EXRAY_DTYPE_INT32},
    {7, EXRAY_DTYPE_INT64},        {8, EXRAY_DTYPE_STRING},    {9, EXRAY_DTYPE_BOOL},
    {10, EXRAY_DTYPE_FLOAT16},     {11, EXRAY_DTYPE_FLOAT64},  {12, EXRAY_DTYPE_UINT32},
    {13, EXRAY_DTYPE_UINT64},      {16, EXRAY_DTYPE_BFLOAT16}, {17, EXRAY_DTYPE_FLOAT8_E4M3},
    {19, EXRAY_DTYPE_FLOAT8_E5M2}, {21, EXRAY_DTYPE_UINT4},    {22, EXRAY_DTYPE_INT4},
};

exray_dtype xr_ort_dtype(int type)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type)
            return types[i].dtype;
    return EXRAY_DTYPE_UNSPECIFIED;
}

int xr_ort_type(exray_dtype dtype)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].dtype == dtype)
            return types[i].type;
    return 0;
}
