#include "checks/model/graph/model_constants.h"

#include <math.h>
#include <stdlib.h>

typedef struct print_state {
    bool made;
    xr_constant_print print;
} print_state;

uint64_t xr_tensor_elements(const exray_tensor_info *info)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 1 || count > ((uint64_t)1 << 40) / (uint64_t)info->shape[i])
            return 0;
        count *= (uint64_t)info->shape[i];
    }
    return count;
}

bool xr_is_whole(const exray_tensor_info *info)
{
    return (info->dtype == EXRAY_DTYPE_INT32 || info->dtype == EXRAY_DTYPE_INT64) &&
           info->quantization.count == 0;
}

bool xr_is_count(const exray_tensor_info *info)
{
    return xr_is_whole(info) || xr_tensor_elements(info) == 1;
}

double xr_constant_rounding(const exray_tensor_info *info, double value)
{
    int exponent;
    frexp(value, &exponent); /* value = [0.5, 1) 2^exponent */
    switch (info->dtype) {
    case EXRAY_DTYPE_FLOAT16:
        return ldexp(1, (exponent > -13 ? exponent : -13) - 12);
    case EXRAY_DTYPE_BFLOAT16:
        return ldexp(1, exponent - 9);
    default:
        return 0;
    }
}

/* The largest that a type holds: a converter stores what is beyond as that. */
static double largest_of(const exray_tensor_info *info)
{
    return info->dtype == EXRAY_DTYPE_FLOAT16 ? 65504 : INFINITY;
}

bool xr_is_same_constant(const exray_tensor_info *info, double value, const exray_tensor_info *reference,
                         double other)
{
    double most = fmin(largest_of(info), largest_of(reference));
    double a = fmax(fmin(value, most), -most), b = fmax(fmin(other, most), -most);
    double rounding = xr_constant_rounding(info, a) + xr_constant_rounding(reference, b);
    return a == b || fabs(a - b) <= 1e-6 * fabs(b) + rounding;
}

bool xr_model_constants_open(const exray_log *log, xr_model_constants *out)
{
    *out = (xr_model_constants){.log = log, .model = exray_log_model(log), .slot = exray_slot_new()};
    size_t tensors = out->model->tensor_count;
    out->record = calloc(tensors + 1, sizeof *out->record);
    out->print = calloc(tensors + 1, sizeof *out->print);
    if (!out->slot || !out->record || !out->print) {
        xr_model_constants_close(out);
        return false;
    }
    size_t count;
    const exray_record *record = exray_log_constants(log, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_CONSTANT &&
            record[i].index < tensors && !out->record[record[i].index])
            out->record[record[i].index] = &record[i];
    return true;
}

void xr_model_constants_close(xr_model_constants *constants)
{
    exray_slot_free(constants->slot);
    free(constants->record);
    free(constants->print);
    *constants = (xr_model_constants){0};
}

static bool read_values(xr_model_constants *c, uint32_t tensor, exray_tensor_view *view, const float **values)
{
    exray_error error;
    *values = NULL;
    if (tensor >= c->model->tensor_count || !c->record[tensor])
        return false;
    exray_status status =
        c->record[tensor]->has_data
            ? exray_log_read_values(c->log, c->record[tensor], c->slot, view, values, &error)
            : exray_log_read_tensor(c->log, c->record[tensor], c->slot, view, &error);
    return status == EXRAY_OK;
}

size_t xr_model_constants_values(xr_model_constants *c, uint32_t tensor, double *out, size_t room)
{
    exray_tensor_view view;
    const float *values;
    if (tensor >= c->model->tensor_count || xr_tensor_elements(&c->model->tensors[tensor]) > room ||
        !read_values(c, tensor, &view, &values))
        return 0;
    if (!values) { /* statistics: of numbers that are all the same they tell each */
        bool same = view.has_stats && view.stats.count == 1 && view.stats.min == view.stats.max;
        if (same && room)
            out[0] = view.stats.min;
        return same && room ? 1 : 0;
    }
    if (view.count > room)
        return 0;
    for (uint64_t i = 0; i < view.count; i++)
        out[i] = values[i];
    return (size_t)view.count;
}

static xr_constant_print make_print(xr_model_constants *c, uint32_t tensor)
{
    exray_tensor_view view;
    const float *values;
    if (!read_values(c, tensor, &view, &values))
        return (xr_constant_print){.known = false};
    if (!values)
        return (xr_constant_print){.known = view.has_stats,
                                   .count = view.stats.count,
                                   .mean = view.stats.mean,
                                   .deviation = sqrt(fmax(view.stats.variance, 0)),
                                   .size = NAN,
                                   .most = fmax(fabs(view.stats.min), fabs(view.stats.max))};
    double sum = 0, square = 0, size = 0, most = 0, n = (double)view.count;
    for (uint64_t i = 0; i < view.count; i++) {
        sum += values[i];
        square += (double)values[i] * values[i];
        size += fabs((double)values[i]);
        most = fmax(most, fabs((double)values[i]));
    }
    return (xr_constant_print){.known = view.count > 0 && isfinite(sum) && isfinite(square),
                               .count = view.count,
                               .mean = sum / n,
                               .deviation = sqrt(fmax(square / n - sum / n * (sum / n), 0)),
                               .size = size / n,
                               .most = most};
}

xr_constant_print xr_model_constants_print(xr_model_constants *c, uint32_t tensor)
{
    if (tensor >= c->model->tensor_count)
        return (xr_constant_print){.known = false};
    if (!c->print[tensor].made)
        c->print[tensor] = (print_state){true, make_print(c, tensor)};
    return c->print[tensor].print;
}
