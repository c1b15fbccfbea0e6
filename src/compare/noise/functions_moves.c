#include "compare/noise/functions_moves.h"

#include "core/dtype.h"

#include <exray/log.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The same values in the shape that the model describes. */
static bool apply_shape(const xr_array *in, const exray_tensor_info *described, xr_array *out)
{
    uint64_t count = 1;
    for (uint32_t d = 0; described && d < described->rank; d++) {
        if (described->shape[d] <= 0 || count > in->count)
            return false;
        count *= (uint64_t)described->shape[d];
    }
    if (!described || count != in->count || !xr_array_make(out, described->rank, described->shape))
        return false;
    memcpy(out->value, in->value, in->count * sizeof *in->value);
    return true;
}

static bool read_order(const exray_node *node, const xr_array *in, uint32_t count,
                       uint32_t order[EXRAY_MAX_RANK])
{
    const char *text = exray_node_attribute(node, "perm");
    for (uint32_t d = 0; d < in->rank; d++) {
        long from = (long)in->rank - 1 - (long)d;
        if (text) {
            char *end;
            from = strtol(text, &end, 10);
            text = *end ? end + 1 : end;
        } else if (count > 1 && in[1].value && in[1].count == in->rank)
            from = in[1].value[d] >= 0 && in[1].value[d] < (float)in->rank ? (long)in[1].value[d] : -1;
        if (from < 0 || from >= (long)in->rank)
            return false;
        order[d] = (uint32_t)from;
    }
    return true;
}

static bool apply_transpose(const exray_node *node, const xr_array *in, uint32_t count, xr_array *out)
{
    uint32_t order[EXRAY_MAX_RANK];
    int64_t shape[EXRAY_MAX_RANK], at[EXRAY_MAX_RANK] = {0};
    uint64_t stride[EXRAY_MAX_RANK], step = 1;
    if (!read_order(node, in, count, order))
        return false;
    for (uint32_t d = in->rank; d-- > 0; step *= (uint64_t)in->shape[d])
        stride[d] = step;
    uint32_t seen = 0;
    for (uint32_t d = 0; d < in->rank; d++) {
        shape[d] = in->shape[order[d]];
        seen |= 1u << order[d];
    }
    if (seen + 1 != 1u << in->rank || !xr_array_make(out, in->rank, shape))
        return false;
    for (uint64_t i = 0; i < out->count; i++) {
        uint64_t place = 0;
        for (uint32_t d = 0; d < in->rank; d++)
            place += (uint64_t)at[d] * stride[order[d]];
        out->value[i] = in->value[place];
        for (uint32_t d = in->rank; d-- > 0;) {
            if (++at[d] < shape[d])
                break;
            at[d] = 0;
        }
    }
    return true;
}

/* The attribute `axis`; -1: it is none of the array's. */
static int64_t read_axis(const exray_node *node, const xr_array *in)
{
    double axis = xr_function_number(node, "axis", 0);
    axis += axis < 0 ? in->rank : 0;
    return axis >= 0 && axis < in->rank ? (int64_t)axis : -1;
}

/* Slices of `table` along an axis, by number. */
static bool look_up(const xr_array *table, const xr_array *ids, int64_t axis, xr_array *out)
{
    int64_t shape[EXRAY_MAX_RANK];
    if (!table->value || !ids->value || axis < 0 || axis >= (int64_t)table->rank ||
        table->rank - 1 + ids->rank > EXRAY_MAX_RANK)
        return false;
    uint32_t rank = 0;
    uint64_t before = 1, after = 1, size = (uint64_t)table->shape[axis];
    for (int64_t d = 0; d < axis; d++, before *= (uint64_t)table->shape[d - 1])
        shape[rank++] = table->shape[d];
    for (uint32_t d = 0; d < ids->rank; d++)
        shape[rank++] = ids->shape[d];
    for (uint32_t d = (uint32_t)axis + 1; d < table->rank; after *= (uint64_t)table->shape[d], d++)
        shape[rank++] = table->shape[d];
    if (!xr_array_make(out, rank, shape))
        return false;
    for (uint64_t b = 0; b < before; b++)
        for (uint64_t i = 0; i < ids->count; i++) {
            double id = ids->value[i] + (ids->value[i] < 0 ? (double)size : 0);
            if (!(id >= 0 && id < (double)size))
                return false;
            memcpy(out->value + (b * ids->count + i) * after,
                   table->value + (b * size + (uint64_t)id) * after, after * sizeof *out->value);
        }
    return true;
}

static bool apply_concatenation(const exray_node *node, const xr_array *in, uint32_t count, xr_array *out)
{
    int64_t axis = read_axis(node, in), shape[EXRAY_MAX_RANK];
    if (axis < 0)
        return false;
    memcpy(shape, in->shape, sizeof shape);
    for (uint32_t k = 1; k < count; k++) {
        for (uint32_t d = 0; d < in->rank; d++)
            if (in[k].rank != in->rank || !in[k].value ||
                (d != (uint32_t)axis && in[k].shape[d] != in->shape[d]))
                return false;
        shape[axis] += in[k].shape[axis];
    }
    if (!xr_array_make(out, in->rank, shape))
        return false;
    uint64_t before = 1;
    for (int64_t d = 0; d < axis; d++)
        before *= (uint64_t)shape[d];
    float *to = out->value;
    for (uint64_t b = 0; b < before; b++)
        for (uint32_t k = 0; k < count; k++) {
            uint64_t run = in[k].count / before;
            memcpy(to, in[k].value + b * run, run * sizeof *to);
            to += run;
        }
    return true;
}

/* Values are dequantized already; a cast to integers cuts them off. */
static bool apply_conversion(const xr_array *in, const exray_tensor_info *described, bool cast, xr_array *out)
{
    if (!xr_array_make(out, in->rank, in->shape))
        return false;
    bool cuts = cast && described && xr_dtype_is_integer(described->dtype);
    for (uint64_t i = 0; i < in->count; i++)
        out->value[i] = cuts ? truncf(in->value[i]) : in->value[i];
    return true;
}

bool xr_function_moves(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                       const exray_tensor_info *described, xr_array *out)
{
    static const char *const shapes[] = {"reshape", "squeeze", "unsqueeze", "expanddims", "flatten"};
    static const char *const conversions[] = {"cast", "dequantize", "dequantizelinear", "quantize",
                                              "quantizelinear"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (strcmp(name, shapes[i]) == 0)
            return apply_shape(in, described, out);
    for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
        if (strcmp(name, conversions[i]) == 0)
            return apply_conversion(in, described, i == 0, out);
    if (strcmp(name, "transpose") == 0)
        return apply_transpose(node, in, count, out);
    if (strcmp(name, "gather") == 0)
        return count > 1 && xr_function_number(node, "batch_dims", 0) == 0 &&
               look_up(&in[0], &in[1], read_axis(node, in), out);
    if (strcmp(name, "embeddinglookup") == 0)
        return count > 1 && look_up(&in[1], &in[0], 0, out);
    if (strcmp(name, "concat") == 0 || strcmp(name, "concatenation") == 0)
        return apply_concatenation(node, in, count, out);
    return false;
}
