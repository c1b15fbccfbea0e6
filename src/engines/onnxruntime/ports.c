/* A session's inputs and outputs. */
#include "engines/onnxruntime/ports.h"

#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

static exray_status take_type(const xr_ort_api *api, OrtTypeInfo *type, xr_ort_port *port, exray_error *error)
{
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    int element = 0;
    size_t rank = 0;
    exray_status status = xr_ort_check(api, api->CastTypeInfoToTensorInfo(type, &tensor), "types", error);
    if (!status && !tensor)
        status = xr_refuse(error, EXRAY_E_UNSUPPORTED, "ONNX Runtime: %.200s is no tensor", port->name);
    if (!status)
        status = xr_ort_check(api, api->GetTensorElementType(tensor, &element), "types", error);
    if (!status)
        status = xr_ort_check(api, api->GetDimensionsCount(tensor, &rank), "shapes", error);
    if (!status && rank > EXRAY_MAX_RANK)
        status = xr_refuse(error, EXRAY_E_UNSUPPORTED, "ONNX Runtime: %.200s has more than 8 dimensions",
                           port->name);
    if (!status)
        status = xr_ort_check(api, api->GetDimensions(tensor, port->shape, rank), "shapes", error);
    if (status)
        return status;
    port->info = (exray_tensor_info){
        .name = port->name, .dtype = xr_ort_dtype(element), .rank = (uint32_t)rank, .shape = port->shape};
    return EXRAY_OK;
}

static exray_status describe(const xr_ort_ports *p, bool input, size_t i, xr_ort_port *port,
                             exray_error *error)
{
    const xr_ort_api *api = p->api;
    OrtTypeInfo *type = NULL;
    OrtStatus *named = input ? api->SessionGetInputName(p->session, i, p->allocator, &port->name)
                             : api->SessionGetOutputName(p->session, i, p->allocator, &port->name);
    exray_status status = xr_ort_check(api, named, "names", error);
    if (status)
        return status;
    OrtStatus *typed = input ? api->SessionGetInputTypeInfo(p->session, i, &type)
                             : api->SessionGetOutputTypeInfo(p->session, i, &type);
    status = xr_ort_check(api, typed, "types", error);
    if (!status)
        status = take_type(api, type, port, error);
    if (type)
        api->ReleaseTypeInfo(type);
    return status;
}

/* A model may leave the batch open: one picture at a time.  Other open dimensions are the caller's to set. */
static void close_batch(xr_ort_port *port)
{
    memcpy(port->declared, port->shape, sizeof port->declared);
    if (port->info.rank > 0 && port->shape[0] < 0)
        port->shape[0] = 1;
}

static size_t fixed_size(const exray_tensor_info *info)
{
    uint64_t bits = exray_dtype_bits(info->dtype);
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] <= 0 || bits > (UINT64_C(1) << 40) / (uint64_t)info->shape[i])
            return 0;
        bits *= (uint64_t)info->shape[i];
    }
    return (size_t)((bits + 7) / 8);
}

static bool is_open(const exray_tensor_info *info)
{
    for (uint32_t i = 0; i < info->rank; i++)
        if (info->shape[i] < 0)
            return true;
    return false;
}

/* The memory and the value of an input, by its shape. */
static exray_status make_value(xr_ort_ports *p, size_t i, exray_error *error)
{
    xr_ort_port *port = &p->input[i];
    size_t size = fixed_size(&port->info);
    if (size == 0)
        return xr_refuse(error, EXRAY_E_UNSUPPORTED,
                         "ONNX Runtime: the input %.200s has elements of no fixed size, or none", port->name);
    void *bytes = calloc(1, size);
    if (!bytes)
        return xr_ort_no_memory(error);
    xr_ort_release_values(p->api, &p->input_value[i], 1);
    free(p->input_bytes[i]);
    p->input_bytes[i] = bytes;
    p->input_size[i] = size;
    return xr_ort_check(p->api,
                        p->api->CreateTensorWithDataAsOrtValue(
                            p->memory, p->input_bytes[i], p->input_size[i], port->shape, port->info.rank,
                            xr_ort_type(port->info.dtype), &p->input_value[i]),
                        "cannot make an input", error);
}

static exray_status make_input(xr_ort_ports *p, size_t i, exray_error *error)
{
    close_batch(&p->input[i]);
    bool typed = exray_dtype_bits(p->input[i].info.dtype) > 0;
    return typed && is_open(&p->input[i].info) ? EXRAY_OK : make_value(p, i, error);
}

bool xr_ort_ports_are_ready(const xr_ort_ports *p)
{
    for (size_t i = 0; i < p->input_count; i++)
        if (!p->input_value[i])
            return false;
    return true;
}

exray_status xr_ort_ports_set_shape(xr_ort_ports *p, uint32_t i, const int64_t *shape, exray_error *error)
{
    size_t size = p->input[i].info.rank * sizeof *shape;
    if (p->input_value[i] && memcmp(p->input[i].shape, shape, size) == 0)
        return EXRAY_OK;
    memcpy(p->input[i].shape, shape, size);
    return make_value(p, i, error);
}

void xr_ort_ports_forget_shapes(xr_ort_ports *p)
{
    for (size_t i = 0; p->input && i < p->input_count; i++) {
        xr_ort_port *port = &p->input[i];
        bool open = false;
        for (uint32_t k = 1; k < port->info.rank; k++)
            open = open || port->declared[k] < 0;
        if (!open)
            continue;
        memcpy(port->shape, port->declared, sizeof port->shape);
        if (port->shape[0] < 0)
            port->shape[0] = 1;
        xr_ort_release_values(p->api, &p->input_value[i], 1);
    }
}

static exray_status take_tables(xr_ort_ports *p, exray_error *error)
{
    const xr_ort_api *api = p->api;
    exray_status status =
        xr_ort_check(api, api->SessionGetInputCount(p->session, &p->input_count), "inputs", error);
    if (!status)
        status =
            xr_ort_check(api, api->SessionGetOutputCount(p->session, &p->output_count), "outputs", error);
    if (status)
        return status;
    p->input = calloc(p->input_count + 1, sizeof *p->input);
    p->output = calloc(p->output_count + 1, sizeof *p->output);
    p->input_bytes = calloc(p->input_count + 1, sizeof *p->input_bytes);
    p->input_size = calloc(p->input_count + 1, sizeof *p->input_size);
    p->input_value = calloc(p->input_count + 1, sizeof(OrtValue *));
    p->output_value = calloc(p->output_count + 1, sizeof(OrtValue *));
    p->input_name = calloc(p->input_count + 1, sizeof *p->input_name);
    p->output_name = calloc(p->output_count + 1, sizeof *p->output_name);
    bool all = p->input && p->output && p->input_bytes && p->input_size && p->input_value &&
               p->output_value && p->input_name && p->output_name;
    return all ? EXRAY_OK : xr_ort_no_memory(error);
}

exray_status xr_ort_ports_open(xr_ort_ports *p, const xr_ort_api *api, OrtSession *session,
                               exray_error *error)
{
    *p = (xr_ort_ports){.api = api, .session = session};
    exray_status status =
        xr_ort_check(api, api->GetAllocatorWithDefaultOptions(&p->allocator), "start", error);
    if (!status)
        status = xr_ort_check(
            api, api->CreateCpuMemoryInfo(XR_ORT_DEVICE_ALLOCATOR, XR_ORT_DEFAULT_MEMORY, &p->memory),
            "start", error);
    if (!status)
        status = take_tables(p, error);
    for (size_t i = 0; !status && i < p->input_count; i++) {
        status = describe(p, true, i, &p->input[i], error);
        if (!status)
            status = make_input(p, i, error);
        p->input_name[i] = p->input[i].name;
    }
    for (size_t i = 0; !status && i < p->output_count; i++) {
        status = describe(p, false, i, &p->output[i], error);
        close_batch(&p->output[i]);
        p->output_name[i] = p->output[i].name;
    }
    return status;
}

xr_ort_call xr_ort_ports_call(const xr_ort_ports *p)
{
    return (xr_ort_call){.session = p->session,
                         .input_name = p->input_name,
                         .input = (const OrtValue *const *)p->input_value,
                         .input_count = p->input_count,
                         .output_name = p->output_name,
                         .output_count = p->output_count,
                         .output = p->output_value};
}

void xr_ort_release_values(const xr_ort_api *api, OrtValue **values, size_t count)
{
    for (size_t i = 0; values && i < count; i++) {
        if (values[i])
            api->ReleaseValue(values[i]);
        values[i] = NULL;
    }
}

static void free_names(const xr_ort_ports *p, xr_ort_port *ports, size_t count)
{
    for (size_t i = 0; ports && i < count; i++)
        if (ports[i].name)
            p->api->AllocatorFree(p->allocator, ports[i].name);
    free(ports);
}

void xr_ort_ports_close(xr_ort_ports *p)
{
    if (!p->api)
        return;
    xr_ort_release_values(p->api, p->output_value, p->output_count);
    xr_ort_release_values(p->api, p->input_value, p->input_count);
    for (size_t i = 0; p->input_bytes && i < p->input_count; i++)
        free(p->input_bytes[i]);
    free_names(p, p->input, p->input_count);
    free_names(p, p->output, p->output_count);
    free(p->input_bytes);
    free(p->input_size);
    free(p->input_value);
    free(p->output_value);
    free(p->input_name);
    free(p->output_name);
    if (p->memory)
        p->api->ReleaseMemoryInfo(p->memory);
    *p = (xr_ort_ports){0};
}
