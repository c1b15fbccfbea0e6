/* Tensors: what they are, and what they hold now. */
#include "engines/tflite/tap_tensor.h"

#include "models/topic_name.h"

#include <string.h>

/* The shape as the log has it: dimensions beyond EXRAY_MAX_RANK are merged into
 * the first, which leaves the order of the elements as it is. */
typedef struct merged_shape {
    uint32_t rank;
    int64_t dims[EXRAY_MAX_RANK];
} merged_shape;

static void append(merged_shape *s, int64_t dim)
{
    if (s->rank < EXRAY_MAX_RANK) {
        s->dims[s->rank++] = dim;
        return;
    }
    s->dims[0] = s->dims[0] < 0 || s->dims[1] < 0 ? -1 : s->dims[0] * s->dims[1];
    for (uint32_t i = 1; i + 1 < EXRAY_MAX_RANK; i++)
        s->dims[i] = s->dims[i + 1];
    s->dims[EXRAY_MAX_RANK - 1] = dim;
}

static void current_shape(const xr_tflite_tap_api *api, const TfLiteOpaqueTensor *tensor, bool pair,
                          merged_shape *s)
{
    s->rank = 0;
    int32_t rank = api->OpaqueTensorNumDims(tensor);
    for (int32_t i = 0; i < rank; i++)
        append(s, api->OpaqueTensorDim(tensor, i));
    if (pair)
        append(s, 2);
}

/* The model's own shape (-1: open) is in the signature; models without open dimensions have none. */
static void model_shape(const xr_tflite_tap_api *api, const TfLiteOpaqueTensor *tensor, bool pair,
                        merged_shape *s)
{
    int32_t rank = 0;
    if (api->OpaqueTensorGetNumDimsSignature(tensor, &rank) != kTfLiteOk || rank <= 0 ||
        rank != api->OpaqueTensorNumDims(tensor)) {
        current_shape(api, tensor, pair, s);
        return;
    }
    s->rank = 0;
    for (int32_t i = 0; i < rank; i++) {
        int32_t dim = -1;
        if (api->OpaqueTensorGetDimSignature(tensor, i, &dim) != kTfLiteOk)
            dim = api->OpaqueTensorDim(tensor, i);
        append(s, dim);
    }
    if (pair)
        append(s, 2);
}

static bool describe_quantization(const xr_tflite_tap_api *api, xr_tap_block **list,
                                  const TfLiteOpaqueTensor *tensor, exray_quantization *out)
{
    TfLiteQuantization quantization = api->OpaqueTensorGetQuantization(tensor);
    if (quantization.type != XR_TFLITE_AFFINE_QUANTIZATION || !quantization.params)
        return true;
    const TfLiteAffineQuantization *affine = quantization.params;
    if (!affine->scale || affine->scale->size <= 0)
        return true;
    uint32_t count = (uint32_t)affine->scale->size;
    int zero_points = affine->zero_point ? affine->zero_point->size : 0;
    float *scale = xr_tap_alloc(list, count, sizeof *scale);
    int64_t *zero_point = xr_tap_alloc(list, count, sizeof *zero_point);
    if (!scale || !zero_point)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        scale[i] = affine->scale->data[i];
        /* One zero point may stand for all the scales. */
        if (zero_points > 0)
            zero_point[i] = affine->zero_point->data[i < (uint32_t)zero_points ? i : 0];
    }
    out->count = count;
    out->axis = count > 1 && affine->quantized_dimension > 0 ? (uint32_t)affine->quantized_dimension : 0;
    out->scale = scale;
    out->zero_point = zero_point;
    return true;
}

static const char *describe_name(xr_tap_block **list, const char *name)
{
    size_t size = name ? xr_name_size(name) : 0;
    if (!name || !name[size])
        return name ? name : "";
    char *copy = xr_tap_alloc(list, size + 1, 1);
    return copy ? memcpy(copy, name, size) : NULL;
}

/* Per-axis quantization must have one entry for each slice. */
static void drop_misfit(exray_tensor_info *info)
{
    exray_quantization *q = &info->quantization;
    if (q->count > 1 &&
        (q->axis >= info->rank || (info->shape[q->axis] >= 0 && (uint64_t)info->shape[q->axis] != q->count)))
        q->count = 0;
}

bool xr_tap_describe_tensor(const xr_tflite_tap_api *api, xr_tap_block **list,
                            const TfLiteOpaqueTensor *tensor, exray_tensor_info *info)
{
    bool pair;
    info->name = describe_name(list, api->OpaqueTensorName(tensor));
    info->dtype = xr_tflite_dtype(api->OpaqueTensorType(tensor), &pair);
    int allocation = api->OpaqueTensorGetAllocationType(tensor);
    info->constant = allocation == XR_TFLITE_MMAP_RO || allocation == XR_TFLITE_PERSISTENT_RO;
    merged_shape s;
    model_shape(api, tensor, pair, &s);
    int64_t *dims = xr_tap_alloc(list, EXRAY_MAX_RANK, sizeof *dims);
    if (!dims || !info->name)
        return false;
    for (uint32_t i = 0; i < s.rank; i++)
        dims[i] = s.dims[i];
    info->rank = s.rank;
    info->shape = dims;
    if (!describe_quantization(api, list, tensor, &info->quantization))
        return false;
    if (api->OpaqueTensorNumDims(tensor) > EXRAY_MAX_RANK && info->quantization.count > 1)
        info->quantization.count = 0; /* the axis has moved */
    drop_misfit(info);
    return true;
}

uint32_t xr_tflite_shape(const xr_tflite_tap_api *api, const TfLiteOpaqueTensor *tensor,
                         int64_t dims[EXRAY_MAX_RANK])
{
    bool pair;
    xr_tflite_dtype(api->OpaqueTensorType(tensor), &pair);
    merged_shape s;
    current_shape(api, tensor, pair, &s);
    memcpy(dims, s.dims, s.rank * sizeof *dims);
    return s.rank;
}

static bool same_shape(const exray_tensor_info *info, const merged_shape *s)
{
    if (info->rank != s->rank)
        return false;
    for (uint32_t i = 0; i < s->rank; i++)
        if (info->shape[i] != s->dims[i])
            return false;
    return true;
}

/* The bytes that shape and type need; false: they are not known. */
static bool expected_size(const exray_tensor_info *info, size_t *size)
{
    uint64_t bits = exray_dtype_bits(info->dtype);
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 0)
            return false;
        if (info->shape[i] && bits > UINT64_MAX / 16 / (uint64_t)info->shape[i])
            return false;
        bits *= (uint64_t)info->shape[i];
    }
    *size = (size_t)((bits + 7) / 8);
    return exray_dtype_bits(info->dtype) != 0;
}

/* Takes the tensor's memory if it has the size that its shape needs: a kernel or a delegate may have left
 * something else there. */
static void read_value(xr_tap *tap, const TfLiteOpaqueTensor *tensor, exray_tensor *record)
{
    const void *data = tap->api.OpaqueTensorData(tensor);
    size_t size = tap->api.OpaqueTensorByteSize(tensor), expected;
    if (expected_size(&record->info, &expected)) {
        if (expected == 0)
            data = ""; /* no elements, no memory, but a known value */
        else if (size < expected)
            data = NULL;
        size = expected;
    }
    tap->lost_values += !data;
    record->data = data;
    record->size = data ? size : 0;
}

void xr_tap_record(xr_tap *tap, exray_tensor *record, uint32_t position, const char *name,
                   const TfLiteOpaqueTensor *tensor)
{
    if (tap->api.OpaqueTensorType(tensor) == XR_TFLITE_RESOURCE ||
        tap->api.OpaqueTensorType(tensor) == XR_TFLITE_VARIANT)
        return; /* handles to state: no values of their own */
    const exray_tensor_info *described = &tap->tables->model.tensors[position];
    bool pair;
    exray_dtype dtype = xr_tflite_dtype(tap->api.OpaqueTensorType(tensor), &pair);
    merged_shape s;
    current_shape(&tap->api, tensor, pair, &s);

    record->info = *described;
    record->info.dtype = dtype;
    record->info.rank = s.rank;
    record->info.shape = s.dims;
    if (name)
        record->info.name = name;
    record->in_model = true;
    record->model_tensor = position;
    record->info_differs = dtype != described->dtype || !same_shape(described, &s);
    drop_misfit(&record->info);
    read_value(tap, tensor, record);
    exray_recorder_log_tensor(tap->recorder, record);
}
