/* Tensors of a .tflite file: description, quantization, constants. */
#include "models/tflite.h"

#include <string.h>

/* By TensorType; complex numbers are pairs of floats. */
static const struct {
    exray_dtype dtype;
    bool pair;
} types[] = {
    {EXRAY_DTYPE_FLOAT32, false},     {EXRAY_DTYPE_FLOAT16, false},     {EXRAY_DTYPE_INT32, false},
    {EXRAY_DTYPE_UINT8, false},       {EXRAY_DTYPE_INT64, false},       {EXRAY_DTYPE_STRING, false},
    {EXRAY_DTYPE_BOOL, false},        {EXRAY_DTYPE_INT16, false},       {EXRAY_DTYPE_FLOAT32, true},
    {EXRAY_DTYPE_INT8, false},        {EXRAY_DTYPE_FLOAT64, false},     {EXRAY_DTYPE_FLOAT64, true},
    {EXRAY_DTYPE_UINT64, false},      {EXRAY_DTYPE_UNSPECIFIED, false}, {EXRAY_DTYPE_UNSPECIFIED, false},
    {EXRAY_DTYPE_UINT32, false},      {EXRAY_DTYPE_UINT16, false},      {EXRAY_DTYPE_INT4, false},
    {EXRAY_DTYPE_BFLOAT16, false},    {EXRAY_DTYPE_UNSPECIFIED, false}, {EXRAY_DTYPE_UINT4, false},
    {EXRAY_DTYPE_FLOAT8_E4M3, false}, {EXRAY_DTYPE_FLOAT8_E5M2, false},
};

xr_constant xr_tflite_buffer(xr_tflite_file *file, uint32_t number)
{
    static const xr_constant none;
    if (number >= file->buffers.count)
        return none;
    xr_flat *flat = &file->flat;
    xr_flat_table buffer = xr_flat_table_at(flat, &file->buffers, number);
    xr_flat_vector data = xr_flat_children(flat, &buffer, XR_BUFFER_DATA, 1);
    if (data.count)
        return (xr_constant){flat->data + data.at, data.count};
    /* Large models keep their data behind the FlatBuffer. */
    uint64_t offset = (uint64_t)xr_flat_i64(flat, &buffer, XR_BUFFER_OFFSET);
    uint64_t size = (uint64_t)xr_flat_i64(flat, &buffer, XR_BUFFER_SIZE);
    if (offset <= 1 || size <= 1)
        return none;
    if (offset > flat->size || size > flat->size - offset) {
        flat->damaged = true;
        return none;
    }
    return (xr_constant){flat->data + offset, (size_t)size};
}

/* Dimensions beyond EXRAY_MAX_RANK are merged into the first, which leaves the
 * order of the elements as it is. */
static void append_dim(exray_tensor_info *info, int64_t *dims, int64_t dim)
{
    if (info->rank < EXRAY_MAX_RANK) {
        dims[info->rank++] = dim;
        return;
    }
    bool fits = dims[0] >= 0 && dims[1] >= 0 && (dims[1] == 0 || dims[0] <= INT64_MAX / dims[1]);
    dims[0] = fits ? dims[0] * dims[1] : -1;
    memmove(dims + 1, dims + 2, (EXRAY_MAX_RANK - 2) * sizeof *dims);
    dims[EXRAY_MAX_RANK - 1] = dim;
}

/* The shape signature has -1 where a dimension is left open; models without open
 * dimensions have none. */
static uint32_t read_shape(xr_tflite_file *file, const xr_flat_table *tensor, bool pair,
                           exray_tensor_info *info)
{
    xr_flat_vector shape = xr_flat_children(&file->flat, tensor, XR_TENSOR_SHAPE, 4);
    xr_flat_vector signature = xr_flat_children(&file->flat, tensor, XR_TENSOR_SHAPE_SIGNATURE, 4);
    if (signature.count && signature.count == shape.count)
        shape = signature;
    int64_t *dims = xr_tflite_take(file, EXRAY_MAX_RANK, sizeof *dims);
    if (!dims)
        return 0;
    info->shape = dims;
    for (uint32_t i = 0; i < shape.count; i++) {
        int32_t dim = xr_flat_i32_at(&file->flat, &shape, i);
        append_dim(info, dims, dim < 0 ? -1 : dim);
    }
    if (pair)
        append_dim(info, dims, 2);
    return shape.count + pair;
}

/* Per-axis quantization must have one entry for each slice. */
static bool fits(const exray_tensor_info *info, uint32_t count, uint32_t axis)
{
    return count <= 1 ||
           (axis < info->rank && (info->shape[axis] < 0 || (uint64_t)info->shape[axis] == count));
}

static void read_quantization(xr_tflite_file *file, const xr_flat_table *tensor, uint32_t file_rank,
                              exray_tensor_info *info)
{
    xr_flat *flat = &file->flat;
    xr_flat_table from = xr_flat_child(flat, tensor, XR_TENSOR_QUANTIZATION);
    xr_flat_vector scales = xr_flat_children(flat, &from, XR_QUANTIZATION_SCALE, 4);
    xr_flat_vector zero_points = xr_flat_children(flat, &from, XR_QUANTIZATION_ZERO_POINT, 8);
    int32_t axis = xr_flat_i32(flat, &from, XR_QUANTIZATION_DIMENSION, 0);
    uint32_t count = scales.count;
    if (count <= 1 || axis < 0)
        axis = 0;
    /* With merged dimensions, the axis is not where it was. */
    if (!count || !fits(info, count, (uint32_t)axis) || (count > 1 && file_rank > EXRAY_MAX_RANK))
        return;
    float *scale = xr_tflite_take(file, count, sizeof *scale);
    int64_t *zero_point = xr_tflite_take(file, count, sizeof *zero_point);
    if (!scale || !zero_point)
        return;
    for (uint32_t i = 0; i < count; i++) {
        scale[i] = xr_flat_f32_at(flat, &scales, i);
        /* One zero point may stand for all the scales. */
        if (zero_points.count)
            zero_point[i] = xr_flat_i64_at(flat, &zero_points, i < zero_points.count ? i : 0);
    }
    info->quantization = (exray_quantization){count, (uint32_t)axis, scale, zero_point};
}

/* Whether the bytes are the values, all of them and in order. */
static bool is_whole(const exray_tensor_info *info, size_t size)
{
    uint64_t bits = exray_dtype_bits(info->dtype);
    if (!bits)
        return info->dtype == EXRAY_DTYPE_STRING;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 0 || (info->shape[i] && bits > UINT64_MAX / 16 / (uint64_t)info->shape[i]))
            return false;
        bits *= (uint64_t)info->shape[i];
    }
    return (bits + 7) / 8 == size;
}

void xr_tflite_read_tensor(xr_tflite_file *file, const xr_flat_table *tensor, uint32_t position)
{
    xr_flat *flat = &file->flat;
    exray_tensor_info *info = &file->tensors[position];
    xr_tflite_detail *detail = &file->details[position];
    uint32_t length;
    const char *name = xr_flat_string(flat, tensor, XR_TENSOR_NAME, &length);
    info->name = xr_tflite_text(file, name, length);
    uint32_t type = xr_flat_u8(flat, tensor, XR_TENSOR_TYPE);
    bool known = type < sizeof types / sizeof types[0];
    info->dtype = known ? types[type].dtype : EXRAY_DTYPE_UNSPECIFIED;
    uint32_t rank = read_shape(file, tensor, known && types[type].pair, info);
    if (!info->shape)
        return;
    read_quantization(file, tensor, rank, info);
    detail->buffer = xr_flat_u32(flat, tensor, XR_TENSOR_BUFFER);
    detail->variable = xr_flat_u8(flat, tensor, XR_TENSOR_IS_VARIABLE);
    detail->handle = type == XR_TFLITE_TYPE_RESOURCE || type == XR_TFLITE_TYPE_VARIANT;
    xr_constant data = xr_tflite_buffer(file, detail->buffer);
    info->constant = data.size > 0;
    /* A sparse tensor's bytes are its non-zero blocks, not its values. */
    if (!xr_flat_field(flat, tensor, XR_TENSOR_SPARSITY, 4) && is_whole(info, data.size))
        file->constants[position] = data;
}

bool xr_tflite_keeps_state(const xr_model_file *file)
{
    const xr_tflite_file *own = file->memory;
    for (uint32_t i = 0; i < own->tensor_count; i++)
        if (own->details[i].variable || own->details[i].handle)
            return true;
    return false;
}
