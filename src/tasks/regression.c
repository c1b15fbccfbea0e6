/* Regressions: numbers whose values count. */
#include "tasks/builtin_tasks.h"
#include "tasks/vectors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    (void)options, (void)outputs;
    if (count)
        return true;
    snprintf(why, why_size, "task regression needs an output; no /result is written");
    return false;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    (void)options;
    return xr_vector_decide(outputs, count, told, out, error);
}

static bool has(const exray_result *result)
{
    return result->vector_count > 0 && !xr_vector_is_unit(&result->vectors[0]);
}

/* ---- Measures ---- */

/* The error relative to the other side's values: sqrt(sum((a - b)^2) / sum(b^2)), over all frames. */
typedef struct regression_sums {
    double error, square;
    uint64_t frames;
} regression_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(regression_sums));
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    regression_sums *sums = state;
    bool any = false;
    for (uint32_t i = 0; i < told->vector_count; i++) {
        const exray_vector *one = &told->vectors[i], *partner = xr_vector_partner(told, i, other);
        for (uint32_t k = 0; partner && k < partner->count; k++) {
            const double a = one->values[k], b = partner->values[k];
            if (!isfinite(a) || !isfinite(b))
                continue;
            sums->error += (a - b) * (a - b);
            sums->square += b * b;
            any = true;
        }
    }
    sums->frames += any;
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const regression_sums *sums = state;
    if (most == 0)
        return 0;
    out[0] = (exray_task_measure){.name = "relative_error", .unit = "share", .frames = sums->frames};
    out[0].value = sums->square > 0                   ? sqrt(sums->error / sums->square)
                   : sums->frames && sums->error == 0 ? 0
                                                      : NAN;
    return 1;
}

const exray_task xr_task_regression = {
    sizeof(exray_task), "regression", fits, decide, has, begin, compare, measure, free};
