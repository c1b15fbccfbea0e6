#include "checks/log/output_statistics.h"

#include <math.h>

/* Of the reference's deviation: what 8 bits move the mean or the deviation of a vector by at most. */
#define MOST_APART 0.1

typedef struct summary {
    bool known, nan; /* mean and deviation are known; some value is none */
    double mean, std, min, max;
} summary;

static summary of_values(const float *v, uint64_t count)
{
    double sum = 0, squares = 0;
    double min = INFINITY, max = -INFINITY;
    bool nan = false;
    for (uint64_t i = 0; i < count; i++) {
        nan = nan || isnan(v[i]);
        min = fmin(min, (double)v[i]);
        max = fmax(max, (double)v[i]);
        sum += (double)v[i];
    }
    const double mean = count ? sum / (double)count : 0;
    for (uint64_t i = 0; i < count; i++)
        squares += ((double)v[i] - mean) * ((double)v[i] - mean);
    return (summary){isfinite(squares), nan, mean, count ? sqrt(squares / (double)count) : 0, min, max};
}

static summary read_summary(const exray_log *log, size_t frame, const char *name, exray_slot *slot)
{
    const exray_record *record = exray_log_find(log, frame, EXRAY_KIND_OUTPUT, EXRAY_NO_INDEX, 0, name);
    exray_tensor_view view;
    const float *values;
    exray_error ignored;
    if (!record)
        return (summary){.known = false};
    if (record->has_data)
        return exray_log_read_values(log, record, slot, &view, &values, &ignored) == EXRAY_OK
                   ? of_values(values, view.count)
                   : (summary){.known = false};
    if (exray_log_read_tensor(log, record, slot, &view, &ignored) != EXRAY_OK || !view.has_stats)
        return (summary){.known = false};
    const exray_stats *stats = &view.stats;
    /* Who writes statistics with other programs may have counted nothing. */
    const bool finite =
        isfinite(stats->mean) && isfinite(stats->variance) && isfinite(stats->min) && isfinite(stats->max);
    if (stats->nan_count || stats->inf_count || !finite)
        return (summary){.nan = stats->nan_count > 0 || (!stats->inf_count && isnan(stats->mean))};
    return (summary){
        true, false, stats->mean, sqrt(fmax(stats->variance, 0)), (double)stats->min, (double)stats->max};
}

static bool is_other(const summary *edge, const summary *reference, double most)
{
    if (!edge->known || !reference->known)
        return (edge->known && reference->nan) || (reference->known && edge->nan);
    const double far = most * reference->std + 1e-6 * fabs(reference->mean);
    return fabs(edge->mean - reference->mean) > far || fabs(edge->std - reference->std) > far;
}

static bool has_data(const exray_comparison *c, int side, size_t frame, const char *name)
{
    const exray_record *record = exray_log_find(exray_comparison_log(c, (exray_side)side),
                                                exray_comparison_frame(c, frame).frame[side],
                                                EXRAY_KIND_OUTPUT, EXRAY_NO_INDEX, 0, name);
    return record && record->has_data;
}

/* Of an output that other frames have data of, these show how far apart healthy frames are. */
static double most_apart(const exray_io_pair *output)
{
    enum { OF_ONE_FRAME = 4 };
    const double shown = fmax(isfinite(output->error) ? output->error : 0, output->noise);
    return output->comparable && shown > 0 ? fmax(MOST_APART, OF_ONE_FRAME * shown) : MOST_APART;
}

static bool find_frame(const exray_comparison *c, const exray_io_pair *output, exray_slot *slot,
                       size_t *frame)
{
    for (size_t f = 0; f < exray_comparison_frame_count(c); f++) {
        const exray_frame_pair at = exray_comparison_frame(c, f);
        summary s[2];
        if (has_data(c, 0, f, output->name[0]) && has_data(c, 1, f, output->name[1]))
            continue; /* of other shapes */
        for (int side = 0; side < 2; side++)
            s[side] = read_summary(exray_comparison_log(c, (exray_side)side), at.frame[side],
                                   output->name[side], slot);
        *frame = f;
        if (is_other(&s[0], &s[1], most_apart(output)))
            return true;
    }
    return false;
}

size_t xr_output_statistics_nan(const exray_comparison *c, const exray_io_pair *output, bool *frames)
{
    exray_slot *slot = exray_slot_new();
    size_t count = 0;
    for (size_t f = 0; slot && f < exray_comparison_frame_count(c); f++) {
        const exray_frame_pair at = exray_comparison_frame(c, f);
        if (has_data(c, 0, f, output->name[0]))
            continue;
        const summary edge =
            read_summary(exray_comparison_log(c, EXRAY_SIDE_EDGE), at.frame[0], output->name[0], slot);
        frames[f] = edge.nan && read_summary(exray_comparison_log(c, EXRAY_SIDE_REFERENCE), at.frame[1],
                                             output->name[1], slot)
                                    .known;
        count += frames[f];
    }
    exray_slot_free(slot);
    return count;
}

bool xr_output_statistics_apart(const exray_comparison *c, const exray_io_pair *output, size_t frame,
                                exray_slot *slot, double *apart)
{
    const exray_frame_pair at = exray_comparison_frame(c, frame);
    summary s[2];
    for (int side = 0; side < 2; side++)
        s[side] =
            read_summary(exray_comparison_log(c, (exray_side)side), at.frame[side], output->name[side], slot);
    if (!s[0].known || !s[1].known)
        return false;
    const double largest = fmax(fabs(s[1].min), fabs(s[1].max));
    const double unit = s[1].std > 0 ? s[1].std : largest > 0 ? largest : 1;
    *apart = fmax(fmax(fabs(s[0].mean - s[1].mean), fabs(s[0].std - s[1].std)),
                  fmax(fabs(s[0].min - s[1].min), fabs(s[0].max - s[1].max))) /
             unit;
    return isfinite(*apart);
}

bool xr_is_output_dead(const exray_comparison *c, const exray_io_pair *output, double *value)
{
    exray_slot *slot = exray_slot_new();
    bool dead = slot != NULL, varies = false;
    size_t frames = 0;
    for (size_t f = 0; dead && f < exray_comparison_frame_count(c); f++) {
        const exray_frame_pair at = exray_comparison_frame(c, f);
        summary s[2];
        for (int side = 0; side < 2; side++)
            s[side] = read_summary(exray_comparison_log(c, (exray_side)side), at.frame[side],
                                   output->name[side], slot);
        if (!s[0].known || !s[1].known)
            continue;
        *value = frames++ ? *value : s[0].mean;
        dead = s[0].std == 0 && s[0].mean == *value;
        varies = varies || s[1].std > MOST_APART * fabs(s[1].mean);
    }
    exray_slot_free(slot);
    return dead && varies && frames > 1;
}

const exray_io_pair *xr_output_of_other_statistics(const exray_comparison *comparison, bool mixed,
                                                   size_t *frame)
{
    const exray_io_pair *found = NULL;
    exray_slot *slot = exray_slot_new();
    for (size_t i = 0; slot && !found && i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        const bool asked = mixed ? output->comparable : true;
        if (asked && find_frame(comparison, output, slot, frame))
            found = output;
    }
    exray_slot_free(slot);
    return found;
}
