#include "checks/layer/equal_frames.h"

#include "checks/beyond_noise.h"
#include "checks/model/state/stateful.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <string.h>

enum { MOST_FRAMES = 16 }; /* searched from the first one on */

typedef struct equal_frame_values {
    exray_tensor_view view[2];
    const float *value[2];
} equal_frame_values;

static bool get(const exray_comparison *comparison, size_t frame, exray_kind kind, size_t pair,
                exray_slot *slot[2], equal_frame_values *out)
{
    return xr_both_of_one_shape(comparison, kind, pair, frame, slot, out->view, out->value);
}

static bool are_equal(const exray_comparison *comparison, size_t frame, exray_slot *slot[2])
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        equal_frame_values both;
        if (!get(comparison, frame, EXRAY_KIND_INPUT, i, slot, &both) ||
            memcmp(both.value[0], both.value[1], both.view[0].count * sizeof(float)) != 0)
            return false;
    }
    return true;
}

size_t xr_find_equal_frame(const exray_comparison *comparison)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    if (!model || !xr_inputs_differ(comparison) || xr_first_stateful(model) != EXRAY_NO_INDEX)
        return SIZE_MAX;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    size_t frames = exray_comparison_frame_count(comparison), found = SIZE_MAX;
    for (size_t f = 0; slot[0] && slot[1] && found == SIZE_MAX && f < frames && f < MOST_FRAMES; f++)
        if (are_equal(comparison, f, slot))
            found = f;
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return found;
}

double xr_error_in_frame(const exray_comparison *comparison, size_t layer, size_t frame, exray_slot *slot[2])
{
    equal_frame_values both;
    if (!get(comparison, frame, EXRAY_KIND_LAYER, layer, slot, &both))
        return NAN;
    double difference = 0, sum = 0, square = 0;
    for (uint64_t i = 0; i < both.view[0].count; i++) {
        double a = both.value[0][i], b = both.value[1][i];
        if (!isfinite(b))
            continue;
        difference += isfinite(a) ? (a - b) * (a - b) : INFINITY;
        sum += b;
        square += b * b;
    }
    double n = (double)both.view[0].count, mean = sum / n, variance = square / n - mean * mean;
    double unit = variance > 1e-12 * square / n ? variance : square / n;
    return difference == 0 ? 0 : unit > 0 ? sqrt(difference / n / unit) : INFINITY;
}
