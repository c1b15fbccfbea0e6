/* From the picture's samples to the bytes of the model's input. */
#include "pipeline/target.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_channel_count(int64_t n)
{
    return n == 1 || n == 3;
}

/* One size of the shape: 0 where it is known only at run time. */
static bool read_side(int64_t n, uint32_t *out)
{
    if (n < -1 || n == 0 || n > XR_MAX_SIDE)
        return false;
    *out = n < 0 ? 0 : (uint32_t)n;
    return true;
}

/* Finds which axis is the channels: as the engine says, else by its size. */
static bool read_shape(const exray_tensor_info *info, xr_target *target)
{
    const int64_t *shape = info->shape;
    if (!shape || (info->rank != 3 && info->rank != 4))
        return false;
    if (info->rank == 4) {
        if (shape[0] != 1 && shape[0] != -1)
            return false;
        shape++;
    }
    const char *layout = info->layout ? info->layout : "";
    bool first = !strcmp(layout, "NCHW") || !strcmp(layout, "CHW");
    bool last = !strcmp(layout, "NHWC") || !strcmp(layout, "HWC");
    if (!first && !last) {
        last = is_channel_count(shape[2]);
        first = !last && is_channel_count(shape[0]);
    }
    if (!first && !last)
        return false;
    target->layout = first ? XR_LAYOUT_NCHW : XR_LAYOUT_NHWC;
    int64_t channels = shape[first ? 0 : 2];
    if (!is_channel_count(channels))
        return false;
    target->channels = (uint32_t)channels;
    return read_side(shape[first ? 1 : 0], &target->height) &&
           read_side(shape[first ? 2 : 1], &target->width);
}

static void show_shape(const exray_tensor_info *info, char out[96])
{
    exray_error text; /* used for its bounded formatting */
    out[0] = 0;
    for (uint32_t i = 0; info->shape && i < info->rank && i < EXRAY_MAX_RANK; i++) {
        xr_error_set(&text, EXRAY_OK, "%s%s%lld", out, i ? "," : "", (long long)info->shape[i]);
        text.message[95] = 0;
        memcpy(out, text.message, strlen(text.message) + 1);
    }
}

static exray_status read_quantization(const exray_tensor_info *info, xr_target *target, exray_error *error)
{
    const exray_quantization *q = &info->quantization;
    bool is_integer = info->dtype != EXRAY_DTYPE_FLOAT32 && info->dtype != EXRAY_DTYPE_FLOAT16 &&
                      info->dtype != EXRAY_DTYPE_FLOAT64;
    if (!q->count || !is_integer)
        return EXRAY_OK;
    if (q->count != 1)
        return xr_error_set(
            error, EXRAY_E_UNSUPPORTED,
            "the model's input is quantized per channel (%u scales); only one scale is supported", q->count);
    if (!q->scale || !isfinite(q->scale[0]) || !(q->scale[0] > 0))
        return xr_error_set(error, EXRAY_E_FORMAT, "the model's input has scale %g; it must be above 0",
                            q->scale ? (double)q->scale[0] : 0.0);
    target->quantized = true;
    target->scale = q->scale[0];
    target->zero_point = q->zero_point ? q->zero_point[0] : 0;
    return EXRAY_OK;
}

/* Element type and quantization; no shape. */
static exray_status read_type(const exray_tensor_info *info, xr_target *target, exray_error *error)
{
    *target = (xr_target){.dtype = info->dtype};
    switch (info->dtype) {
    case EXRAY_DTYPE_FLOAT32:
    case EXRAY_DTYPE_FLOAT16:
    case EXRAY_DTYPE_FLOAT64:
    case EXRAY_DTYPE_INT8:
    case EXRAY_DTYPE_UINT8:
    case EXRAY_DTYPE_INT16:
    case EXRAY_DTYPE_UINT16:
    case EXRAY_DTYPE_INT32:
    case EXRAY_DTYPE_UINT32:
    case EXRAY_DTYPE_INT64:
        target->element_size = exray_dtype_bits(info->dtype) / 8;
        break;
    default:
        return xr_error_set(error, EXRAY_E_UNSUPPORTED,
                            "the model's input is %s; a picture cannot be made that",
                            exray_dtype_name(info->dtype));
    }
    return read_quantization(info, target, error);
}

exray_status xr_target_read(const exray_tensor_info *info, xr_target *target, exray_error *error)
{
    exray_status status = read_type(info, target, error);
    if (status)
        return status;
    if (!read_shape(info, target)) {
        char shape[96];
        show_shape(info, shape);
        return xr_error_set(error, EXRAY_E_UNSUPPORTED,
                            "the model's input [%s] is not one picture: [1,H,W,C] or [1,C,H,W] with C 1 or 3",
                            shape);
    }
    return EXRAY_OK;
}

/* ---- Elements ---------------------------------------------------------------------- */

/* IEEE 754 binary16, rounded to nearest, ties to even. */
static uint16_t to_half(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double magnitude = fabs(value);
    int exponent;
    if (isnan(value))
        return 0x7E00;
    if (magnitude >= 65520)
        return sign | 0x7C00;
    if (magnitude == 0)
        return sign;
    frexp(magnitude, &exponent);
    int unit = (exponent < -13 ? -13 : exponent) - 11; /* of the last place */
    double steps = ldexp(magnitude, -unit);            /* exact */
    double whole = floor(steps);
    double rest = steps - whole;
    if (rest > 0.5 || (rest == 0.5 && fmod(whole, 2) != 0))
        whole++;
    /* `whole` has the hidden bit unless subnormal; a carry runs into the exponent. */
    uint32_t bits = (uint32_t)whole + ((uint32_t)(unit + 24) << 10);
    return (uint16_t)(sign | bits);
}

/* Rounds half away from zero and clips to [low, high]. */
static double to_integer(const xr_target *t, double real, double low, double high)
{
    double q = t->quantized ? round(real / (double)t->scale) + (double)t->zero_point : round(real);
    return q > low ? (q < high ? q : high) : low; /* NaN too becomes `low` */
}

/* One element, little-endian. */
static void encode(const xr_target *t, double real, uint8_t *out)
{
    uint64_t bits = 0;
    switch (t->dtype) {
    case EXRAY_DTYPE_FLOAT32: {
        float value = (float)real;
        uint32_t word;
        memcpy(&word, &value, sizeof word);
        bits = word;
        break;
    }
    case EXRAY_DTYPE_FLOAT64:
        memcpy(&bits, &real, sizeof bits);
        break;
    case EXRAY_DTYPE_FLOAT16:
        bits = to_half(real);
        break;
    case EXRAY_DTYPE_INT8:
        bits = (uint64_t)(int64_t)to_integer(t, real, INT8_MIN, INT8_MAX);
        break;
    case EXRAY_DTYPE_UINT8:
        bits = (uint64_t)to_integer(t, real, 0, UINT8_MAX);
        break;
    case EXRAY_DTYPE_INT16:
        bits = (uint64_t)(int64_t)to_integer(t, real, INT16_MIN, INT16_MAX);
        break;
    case EXRAY_DTYPE_UINT16:
        bits = (uint64_t)to_integer(t, real, 0, UINT16_MAX);
        break;
    case EXRAY_DTYPE_INT32:
        bits = (uint64_t)(int64_t)to_integer(t, real, INT32_MIN, INT32_MAX);
        break;
    case EXRAY_DTYPE_UINT32:
        bits = (uint64_t)to_integer(t, real, 0, UINT32_MAX);
        break;
    default: /* INT64; a double holds whole numbers up to 2^53 */
        bits = (uint64_t)(int64_t)to_integer(t, real, -9007199254740992.0, 9007199254740992.0);
        break;
    }
    for (size_t i = 0; i < t->element_size; i++)
        out[i] = (uint8_t)(bits >> (8 * i));
}

/* Every byte has 256 values: a table per channel does the arithmetic once. */
static uint8_t *make_table(const xr_target *t, uint32_t channels, const double *mean, const double *std)
{
    size_t size = t->element_size;
    uint8_t *table = malloc((size_t)channels * 256 * size);
    for (uint32_t c = 0; table && c < channels; c++)
        for (uint32_t v = 0; v < 256; v++)
            encode(t, (v - mean[c]) / std[c], table + (c * 256 + v) * size);
    return table;
}

exray_status xr_target_write(const xr_target *target, xr_layout layout, const xr_pixels *picture,
                             const double *mean, const double *std, void *out, exray_error *error)
{
    const size_t size = target->element_size;
    const uint32_t channels = picture->channels;
    /* Steps in elements from pixel to pixel, from channel to channel. */
    const size_t across = layout == XR_LAYOUT_NCHW ? 1 : channels;
    const size_t plane = layout == XR_LAYOUT_NCHW ? (size_t)picture->width * picture->height : 1;
    uint8_t *table = NULL;
    if (!picture->is_float && !(table = make_table(target, channels, mean, std)))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a table of values");
    for (uint32_t c = 0; c < channels; c++) {
        const uint8_t *values = table ? table + (size_t)c * 256 * size : NULL;
        for (uint32_t y = 0; y < picture->height; y++) {
            size_t in = y * picture->stride + c;
            uint8_t *to = (uint8_t *)out + (c * plane + (size_t)y * picture->width * across) * size;
            const size_t step = across * size;
            if (values && size == 4)
                for (uint32_t x = 0; x < picture->width; x++, in += channels, to += step)
                    memcpy(to, values + (size_t)picture->bytes[in] * 4, 4);
            else if (values)
                for (uint32_t x = 0; x < picture->width; x++, in += channels, to += step)
                    memcpy(to, values + picture->bytes[in] * size, size);
            else
                for (uint32_t x = 0; x < picture->width; x++, in += channels, to += step)
                    encode(target, (picture->floats[in] - mean[c]) / std[c], to);
        }
    }
    free(table);
    return EXRAY_OK;
}

exray_status xr_target_store(const exray_tensor_info *info, const float *values, uint64_t count, void *out,
                             size_t out_size, exray_error *error)
{
    xr_target target;
    exray_status status = read_type(info, &target, error);
    if (status)
        return status;
    if (count > out_size || count * target.element_size != out_size)
        return xr_error_set(error, EXRAY_E_ARGUMENT, "%llu values of %s do not fill %zu bytes",
                            (unsigned long long)count, exray_dtype_name(info->dtype), out_size);
    for (uint64_t i = 0; i < count; i++)
        encode(&target, (double)values[i], (uint8_t *)out + i * target.element_size);
    return EXRAY_OK;
}

bool xr_target_takes_bytes(const xr_target *target, double *mean, double *std)
{
    if (!target->quantized || (target->dtype != EXRAY_DTYPE_UINT8 && target->dtype != EXRAY_DTYPE_INT8) ||
        !(target->scale > 0))
        return false;
    /* element = real / scale + zero_point, and real = (byte - mean) / std */
    *mean = (double)target->zero_point + (target->dtype == EXRAY_DTYPE_INT8 ? 128 : 0);
    *std = 1 / (double)target->scale;
    return true;
}
