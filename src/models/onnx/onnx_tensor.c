/* Types, shapes and values of ONNX tensors. */
#include "models/onnx/onnx.h"

#include <string.h>

/* TensorProto.DataType; types that we do not have have no values either. */
static const exray_dtype dtypes[] = {
    [1] = EXRAY_DTYPE_FLOAT32,      [2] = EXRAY_DTYPE_UINT8,     [3] = EXRAY_DTYPE_INT8,
    [4] = EXRAY_DTYPE_UINT16,       [5] = EXRAY_DTYPE_INT16,     [6] = EXRAY_DTYPE_INT32,
    [7] = EXRAY_DTYPE_INT64,        [8] = EXRAY_DTYPE_STRING,    [9] = EXRAY_DTYPE_BOOL,
    [10] = EXRAY_DTYPE_FLOAT16,     [11] = EXRAY_DTYPE_FLOAT64,  [12] = EXRAY_DTYPE_UINT32,
    [13] = EXRAY_DTYPE_UINT64,      [16] = EXRAY_DTYPE_BFLOAT16, [17] = EXRAY_DTYPE_FLOAT8_E4M3,
    [19] = EXRAY_DTYPE_FLOAT8_E5M2, [21] = EXRAY_DTYPE_UINT4,    [22] = EXRAY_DTYPE_INT4,
};

exray_dtype xr_onnx_dtype(uint64_t data_type)
{
    return data_type < sizeof dtypes / sizeof *dtypes ? dtypes[data_type] : EXRAY_DTYPE_UNSPECIFIED;
}

unsigned xr_onnx_data_type(exray_dtype dtype)
{
    for (unsigned i = 1; dtype != EXRAY_DTYPE_UNSPECIFIED && i < sizeof dtypes / sizeof *dtypes; i++)
        if (dtypes[i] == dtype)
            return i;
    return 0;
}

/* A shape as the log has it: dimensions beyond EXRAY_MAX_RANK are merged into the
 * first, which leaves the order of the elements as it is. */
typedef struct shape {
    uint32_t rank;
    int64_t dims[EXRAY_MAX_RANK];
} shape;

static void append(shape *s, int64_t dim)
{
    if (dim < 0)
        dim = -1;
    if (s->rank < EXRAY_MAX_RANK) {
        s->dims[s->rank++] = dim;
        return;
    }
    bool unknown = s->dims[0] < 0 || s->dims[1] < 0 || (s->dims[1] && s->dims[0] > INT64_MAX / s->dims[1]);
    s->dims[0] = unknown ? -1 : s->dims[0] * s->dims[1];
    memmove(s->dims + 1, s->dims + 2, (EXRAY_MAX_RANK - 2) * sizeof *s->dims);
    s->dims[EXRAY_MAX_RANK - 1] = dim;
}

static bool set_shape(xr_onnx *onnx, exray_tensor_info *info, const shape *s)
{
    int64_t *dims = xr_onnx_alloc(onnx, EXRAY_MAX_RANK, sizeof *dims);
    if (!dims)
        return false;
    memcpy(dims, s->dims, s->rank * sizeof *dims);
    info->shape = dims;
    info->rank = s->rank;
    return true;
}

static bool damaged(xr_onnx *onnx, const char *why)
{
    return xr_onnx_fail(onnx, EXRAY_E_FORMAT, why);
}

/* ---- ValueInfoProto ------------------------------------------------------------ */

static int64_t read_dimension(const xr_pb_field *dimension, xr_pb *outer)
{
    int64_t value = -1;
    xr_pb pb = xr_pb_begin(dimension->data, dimension->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (xr_pb_is(&f, 1, XR_PB_VARINT))
            value = (int64_t)f.value;
        else if (xr_pb_is(&f, 2, XR_PB_BYTES))
            value = -1;
    outer->bad |= pb.bad;
    return value;
}

static bool read_tensor_type(xr_onnx *onnx, const xr_pb_field *type, exray_tensor_info *info, xr_pb *outer)
{
    xr_pb pb = xr_pb_begin(type->data, type->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (xr_pb_is(&f, 1, XR_PB_VARINT))
            info->dtype = xr_onnx_dtype(f.value);
        if (!xr_pb_is(&f, 2, XR_PB_BYTES))
            continue;
        shape s = {0};
        xr_pb dims = xr_pb_begin(f.data, f.size);
        for (xr_pb_field d; xr_pb_next(&dims, &d);)
            if (xr_pb_is(&d, 1, XR_PB_BYTES))
                append(&s, read_dimension(&d, &dims));
        pb.bad |= dims.bad;
        if (!set_shape(onnx, info, &s))
            return false;
    }
    outer->bad |= pb.bad;
    return true;
}

bool xr_onnx_read_type(xr_onnx *onnx, xr_span value_info, exray_tensor_info *info, bool *tensor_type)
{
    xr_pb pb = xr_pb_begin(value_info.data, value_info.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (!xr_pb_is(&f, 2, XR_PB_BYTES))
            continue;
        xr_pb type = xr_pb_begin(f.data, f.size);
        for (xr_pb_field t; xr_pb_next(&type, &t);) {
            if (!xr_pb_is(&t, 1, XR_PB_BYTES)) /* sequences, maps, optionals */
                continue;
            *tensor_type = true;
            if (!read_tensor_type(onnx, &t, info, &type))
                return false;
        }
        pb.bad |= type.bad;
    }
    return !pb.bad || damaged(onnx, "the type of a tensor in it is damaged");
}

/* ---- TensorProto ----------------------------------------------------------------- */

/* Where a value may be: raw, or in one of the typed fields. */
typedef struct values {
    xr_span raw, message;
    uint64_t data_type;
    bool external, segmented;
} values;

static bool read_dims(const xr_pb_field *f, shape *s, xr_pb *outer)
{
    if (f->type == XR_PB_VARINT)
        append(s, (int64_t)f->value);
    if (f->type != XR_PB_BYTES)
        return true;
    xr_pb pb = xr_pb_begin(f->data, f->size);
    for (uint64_t value; pb.at != pb.end && xr_pb_varint(&pb, &value);)
        append(s, (int64_t)value);
    outer->bad |= pb.bad;
    return !pb.bad;
}

/* Elements, or false where it is more than any file holds. */
static bool count_elements(const shape *s, uint64_t *count)
{
    *count = 1;
    for (uint32_t i = 0; i < s->rank; i++) {
        if (s->dims[i] < 0 || (s->dims[i] && *count > (UINT64_C(1) << 40) / (uint64_t)s->dims[i]))
            return false;
        *count *= (uint64_t)s->dims[i];
    }
    return true;
}

/* The typed field that holds values of a type: its number, and how many bytes of
 * each of its entries count. */
static uint32_t typed_field(exray_dtype dtype, unsigned *bytes)
{
    *bytes = exray_dtype_bits(dtype) < 8 ? 1 : exray_dtype_bits(dtype) / 8;
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
        return 4;
    case EXRAY_DTYPE_FLOAT64:
        return 10;
    case EXRAY_DTYPE_INT64:
        return 7;
    case EXRAY_DTYPE_UINT32:
    case EXRAY_DTYPE_UINT64:
        return 11;
    default:
        return 5;
    }
}

/* Stores one entry of a typed field, little-endian. */
static bool put(uint8_t *out, size_t size, size_t *used, uint64_t bits, unsigned bytes)
{
    if (size - *used < bytes)
        return false;
    for (unsigned i = 0; i < bytes; i++)
        out[(*used)++] = (uint8_t)(bits >> 8 * i);
    return true;
}

static bool put_packed(const xr_pb_field *f, bool is_fixed, uint8_t *out, size_t size, size_t *used,
                       unsigned bytes)
{
    if (is_fixed) { /* floats and doubles: as they lie in the file */
        if (f->size > size - *used)
            return false;
        memcpy(out + *used, f->data, f->size);
        *used += f->size;
        return true;
    }
    xr_pb pb = xr_pb_begin(f->data, f->size);
    for (uint64_t value; pb.at != pb.end;)
        if (!xr_pb_varint(&pb, &value) || !put(out, size, used, value, bytes))
            return false;
    return true;
}

static bool convert_typed(const values *v, exray_dtype dtype, uint8_t *out, size_t size)
{
    unsigned bytes;
    uint32_t number = typed_field(dtype, &bytes);
    bool is_fixed = number == 4 || number == 10;
    size_t used = 0;
    xr_pb pb = xr_pb_begin(v->message.data, v->message.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (f.number != number)
            continue;
        bool ok = f.type == XR_PB_BYTES ? !f.size || put_packed(&f, is_fixed, out, size, &used, bytes)
                                        : put(out, size, &used, f.value, bytes);
        if (!ok)
            return false;
    }
    return !pb.bad && used == size;
}

static bool read_bytes(xr_onnx *onnx, const values *v, const shape *s, exray_dtype dtype, xr_constant *out)
{
    unsigned bits = exray_dtype_bits(dtype);
    uint64_t count;
    if (v->external || v->segmented || !bits) /* elsewhere, in parts, strings */
        return true;
    if (!count_elements(s, &count))
        return damaged(onnx, "the shape of an initializer in it is impossible");
    uint64_t size = (count * bits + 7) / 8;
    if (v->raw.data) {
        if (v->raw.size != size)
            return damaged(onnx, "an initializer in it has not as many bytes as its shape takes");
        *out = (xr_constant){v->raw.data, (size_t)size};
        return true;
    }
    /* No typed field packs more than eight elements into a byte, so this bounds
     * what is allocated. */
    if (size > 8 * (uint64_t)v->message.size)
        return damaged(onnx, "an initializer in it has not as many values as its shape takes");
    uint8_t *bytes = xr_onnx_alloc(onnx, (size_t)size + 1, 1);
    if (!bytes)
        return false;
    if (!convert_typed(v, dtype, bytes, (size_t)size))
        return damaged(onnx, "an initializer in it has not as many values as its shape takes");
    *out = (xr_constant){bytes, (size_t)size};
    return true;
}

bool xr_onnx_read_tensor(xr_onnx *onnx, xr_span tensor, exray_tensor_info *info, xr_constant *constant)
{
    values v = {.message = tensor};
    shape s = {0};
    xr_pb pb = xr_pb_begin(tensor.data, tensor.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (f.number == 1)
            read_dims(&f, &s, &pb);
        else if (xr_pb_is(&f, 2, XR_PB_VARINT))
            v.data_type = f.value;
        else if (xr_pb_is(&f, 3, XR_PB_BYTES))
            v.segmented = true;
        else if (xr_pb_is(&f, 9, XR_PB_BYTES))
            v.raw = (xr_span){f.data, f.size};
        else if (xr_pb_is(&f, 14, XR_PB_VARINT))
            v.external = f.value == 1;
    }
    if (pb.bad)
        return damaged(onnx, "an initializer in it is damaged");
    *constant = (xr_constant){0}; /* a second one of the name may have none, or another type */
    info->dtype = xr_onnx_dtype(v.data_type);
    return set_shape(onnx, info, &s) && read_bytes(onnx, &v, &s, info->dtype, constant);
}
