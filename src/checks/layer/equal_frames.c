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

/* Whether an input has no values on either side, and one shape: keys and values before the first token. */
static bool are_empty(const exray_comparison *comparison, size_t input, size_t frame, exray_slot *slot[2])
{
    const exray_io_pair *pair = exray_comparison_input(comparison, input);
    exray_tensor_view view[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        const exray_record *record = exray_log_find(log, exray_comparison_frame(comparison, frame).frame[s],
                                                    EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, pair->name[s]);
        if (!record || record->has_data ||
            exray_log_read_tensor(log, record, slot[s], &view[s], &ignored) != EXRAY_OK)
            return false;
    }
    bool empty = false;
    for (uint32_t d = 0; d < view[0].info.rank; d++)
        empty = empty || view[0].info.shape[d] == 0;
    return empty && xr_same_shape(&view[0].info, &view[1].info);
}

static bool are_equal(const exray_comparison *comparison, size_t frame, exray_slot *slot[2])
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        equal_frame_values both;
        if (are_empty(comparison, i, frame, slot))
            continue;
        if (!get(comparison, frame, EXRAY_KIND_INPUT, i, slot, &both) ||
            memcmp(both.value[0], both.value[1], both.view[0].count * sizeof(float)) != 0)
            return false;
    }
    return true;
}

/* deviation: the reference's over all frames.  Of a frame that varies less (one number, a picture of nothing)
 * noise is not a share of what varies in it. */
static double error_of(const exray_comparison *comparison, exray_kind kind, size_t pair, double deviation,
                       size_t frame, exray_slot *slot[2])
{
    equal_frame_values both;
    if (!get(comparison, frame, kind, pair, slot, &both))
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
    double unit = fmax(variance > 1e-12 * square / n ? variance : square / n, deviation * deviation);
    return difference == 0 ? 0 : unit > 0 ? sqrt(difference / n / unit) : INFINITY;
}

double xr_error_in_frame(const exray_comparison *comparison, size_t layer, size_t frame, exray_slot *slot[2])
{
    const double deviation = exray_comparison_layer(comparison, layer)->metrics.std[EXRAY_SIDE_REFERENCE];
    return error_of(comparison, EXRAY_KIND_LAYER, layer, deviation, frame, slot);
}

double xr_output_error_in_frame(const exray_comparison *comparison, size_t output, size_t frame,
                                exray_slot *slot[2])
{
    const double deviation = exray_comparison_output(comparison, output)->metrics.std[EXRAY_SIDE_REFERENCE];
    return error_of(comparison, EXRAY_KIND_OUTPUT, output, deviation, frame, slot);
}

/* The largest error of an output in the frame; 0 where none is known. */
static double worst_output(const exray_comparison *comparison, size_t frame, exray_slot *slot[2])
{
    double worst = 0;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        worst = fmax(worst, xr_output_error_in_frame(comparison, i, frame, slot));
    return worst;
}

size_t xr_find_equal_frame(const exray_comparison *comparison)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    if (!model || !xr_inputs_differ(comparison) || xr_first_stateful(model) != EXRAY_NO_INDEX)
        return SIZE_MAX;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    size_t frames = exray_comparison_frame_count(comparison), found = SIZE_MAX;
    double most = -1;
    bool all = true; /* up to here */
    for (size_t f = 0; slot[0] && slot[1] && f < frames && (all || f < MOST_FRAMES); f++) {
        const bool equal = are_equal(comparison, f, slot);
        /* The last one before the first that is not is the one that shows what came back. */
        const size_t asked = equal && f < MOST_FRAMES           ? f
                             : !equal && all && f > MOST_FRAMES ? f - 1
                                                                : SIZE_MAX;
        const double error = asked == SIZE_MAX ? -1 : worst_output(comparison, asked, slot);
        if (error > most) {
            most = error;
            found = asked;
        }
        all = all && equal;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return found;
}
