#include "engines/agreement.h"

#include "core/dtype.h"
#include "core/summary/dtypes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void xr_extent_add(xr_extent *extent, float value)
{
    if (isfinite(value)) {
        extent->low = fmin(extent->low, value);
        extent->high = fmax(extent->high, value);
    }
}

double xr_extent_range(const xr_extent *extent)
{
    return extent->high >= extent->low ? extent->high - extent->low : 0;
}

/* The difference that another order of additions explains: for floats a share of the range (of the size where
 * the values hardly differ), for coarser types one or two steps at the largest value, for quantized tensors
 * one step.  Whole numbers and strings (classes, counts) have no noise. */
double xr_noise(exray_dtype dtype, const xr_extent *extent, double step)
{
    double range = xr_extent_range(extent);
    double largest = extent->high >= extent->low ? fmax(fabs(extent->low), fabs(extent->high)) : 0;
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
    case EXRAY_DTYPE_FLOAT64:
        /* Values far from zero that hardly differ: a few units in the last place. */
        return fmax(range * XR_OBSERVER_FLOAT_NOISE, largest * 0x1p-21);
    case EXRAY_DTYPE_FLOAT16:
        return largest * 0x1p-9;
    case EXRAY_DTYPE_BFLOAT16:
        return largest * 0x1p-6;
    default:
        return step * 1.001; /* the values are rounded to float32 */
    }
}

double xr_value_distance(float a, float b)
{
    if (a == b || (isnan(a) && isnan(b)))
        return 0;
    return isfinite(a) && isfinite(b) ? fabs((double)a - b) : INFINITY;
}

double xr_largest_scale(const exray_quantization *q)
{
    double step = 0;
    for (uint32_t i = 0; i < q->count; i++)
        step = fmax(step, q->scale[i]);
    return step;
}

/* ---- Adding up -------------------------------------------------------------------- */

static void note(xr_agreement *to, uint64_t frame, const char *name, double excess, double max_abs,
                 double range)
{
    bool first = to->output[0] == '\0';
    to->largest = fmax(to->largest, max_abs);
    if (first)
        to->first = frame;
    if (!first && !(excess > to->excess || (excess == to->excess && max_abs > to->max_abs)))
        return;
    to->excess = excess;
    to->max_abs = max_abs;
    to->range = range;
    snprintf(to->output, sizeof to->output, "%.127s", name && *name ? name : "unnamed");
}

void xr_agreement_add_misfit(xr_agreement *to, uint64_t frame, const char *name)
{
    note(to, frame, name, INFINITY, INFINITY, 0);
}

/* Some elements as real numbers. */
static void dequantize(const exray_tensor_info *info, const xr_axis_walk *walk, const void *data,
                       uint64_t first, size_t count, float *out)
{
    const exray_quantization *q = &info->quantization;
    xr_dtype_to_float(info->dtype, data, first, count, out);
    for (size_t i = 0; q->count && i < count; i++) {
        uint32_t slice = q->count > 1 ? xr_axis_slice(walk, first + i) : 0;
        float zero = q->zero_point ? (float)q->zero_point[slice] : 0;
        out[i] = (out[i] - zero) * q->scale[slice];
    }
}

void xr_agreement_add(xr_agreement *to, uint64_t frame, const exray_tensor_info *info, const void *deployed,
                      const void *observed, size_t size)
{
    enum { BLOCK = 256 };
    if (size == 0 || memcmp(deployed, observed, size) == 0)
        return;
    xr_axis_walk walk;
    uint64_t count;
    if (!xr_dtype_is_numeric(info->dtype) || !xr_axis_walk_of(info, &walk) ||
        !xr_shape_count(info->shape, info->rank, &count) || xr_dtype_bytes(info->dtype, count) > size) {
        xr_agreement_add_misfit(to, frame, info->name);
        return;
    }
    xr_extent extent = XR_NO_EXTENT;
    double apart = 0;
    for (uint64_t done = 0; done < count; done += BLOCK) {
        float a[BLOCK], b[BLOCK];
        size_t part = count - done < BLOCK ? (size_t)(count - done) : BLOCK;
        dequantize(info, &walk, deployed, done, part, a);
        dequantize(info, &walk, observed, done, part, b);
        for (size_t i = 0; i < part; i++) {
            xr_extent_add(&extent, a[i]);
            apart = fmax(apart, xr_value_distance(a[i], b[i]));
        }
    }
    double noise = xr_noise(info->dtype, &extent, xr_largest_scale(&info->quantization));
    note(to, frame, info->name,
         apart == 0  ? 0
         : noise > 0 ? apart / noise
                     : INFINITY,
         apart, xr_extent_range(&extent));
}

/* ---- Saying it ---------------------------------------------------------------------- */

void xr_agreement_record(xr_agreement *of, exray_recorder *recorder, const char *layers_from,
                         const exray_key_value *more, size_t more_count)
{
    enum { MORE = 4 };
    exray_key_value pairs[8 + MORE];
    size_t count = 0;
    snprintf(of->text[0], sizeof of->text[0], "%llu", (unsigned long long)of->frames);
    snprintf(of->text[1], sizeof of->text[1], "%.6g", of->largest);
    snprintf(of->text[2], sizeof of->text[2], "%.9g", of->max_abs);
    snprintf(of->text[3], sizeof of->text[3], "%.9g", of->range);
    pairs[count++] = (exray_key_value){"layers_from", layers_from};
    pairs[count++] = (exray_key_value){"frames_compared", of->text[0]};
    pairs[count++] = (exray_key_value){"outputs_max_abs", of->text[1]};
    if (of->frames) {
        bool equal = of->output[0] == '\0';
        pairs[count++] = (exray_key_value){"observer", equal             ? "equal"
                                                       : of->excess <= 1 ? "noise"
                                                                         : "differs"};
        pairs[count++] = (exray_key_value){"observer_max_abs", of->text[2]};
        if (!equal) {
            pairs[count++] = (exray_key_value){"observer_output", of->output};
            pairs[count++] = (exray_key_value){"observer_range", of->text[3]};
        }
    }
    for (size_t i = 0; i < more_count && i < MORE; i++)
        pairs[count++] = more[i];
    exray_recorder_log_metadata(recorder, "exray.observation", pairs, count);
}
