/* How much an engine's runs of one input differ: threads that add in another order, a GPU's atomics.  No
 * error below it is a fault.  Frames of one source with the same input show it (record --repeat). */
#include "compare/noise/repeats.h"

#include "compare/comparison.h"
#include "compare/match/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 256, MOST_TWINS = 4 };

/* Two frames of one side with the same input, by position among the matched frames. */
typedef struct twins {
    size_t frame[2];
} twins;

typedef struct twin_reader {
    const exray_comparison *comparison;
    exray_side side;
    exray_slot *slot[2];
    exray_tensor_view view[2];
    const float *value[2];
} twin_reader;

static bool read_both(twin_reader *r, const xr_pair *pair, const twins *t)
{
    for (int k = 0; k < 2; k++) {
        const exray_record *record = xr_pair_record(r->comparison, pair, r->side, t->frame[k]);
        exray_error error;
        if (!record || !record->has_data ||
            exray_log_read_values(r->comparison->log[r->side], record, r->slot[k], &r->view[k], &r->value[k],
                                  &error) != EXRAY_OK ||
            !r->value[k])
            return false;
    }
    return r->view[0].count == r->view[1].count;
}

static bool same_inputs(twin_reader *r, const twins *t)
{
    const xr_pairs *inputs = &r->comparison->inputs;
    for (size_t i = 0; i < inputs->count; i++)
        if (!read_both(r, &inputs->pair[i], t) || r->view[0].size != r->view[1].size ||
            memcmp(r->view[0].data, r->view[1].data, r->view[0].size) != 0)
            return false;
    return inputs->count > 0;
}

static const char *source_of(const twin_reader *r, size_t frame)
{
    const exray_comparison *c = r->comparison;
    const char *source = exray_log_frame(c->log[r->side], c->frame[frame].frame[r->side])->source;
    return source ? source : "";
}

/* Neighbors first: that is how repeats are recorded. */
static size_t find_twins(twin_reader *r, twins list[MOST_TWINS])
{
    size_t count = 0, frames = r->comparison->frame_count;
    if (frames > MOST_FRAMES)
        frames = MOST_FRAMES;
    for (size_t f = 1; f < frames && count < MOST_TWINS; f++) {
        const char *source = source_of(r, f);
        size_t g = f;
        while (*source && g > 0 && strcmp(source_of(r, g - 1), source) != 0)
            g--;
        list[count] = (twins){{g - 1, f}};
        count += *source && g > 0 && same_inputs(r, &list[count]);
    }
    return count;
}

/* The mean square of what one run adds: half of that of the difference between two. */
static double repeat_square(twin_reader *r, const xr_pair *pair, const twins *list, size_t count)
{
    double sum = 0, elements = 0;
    for (size_t t = 0; t < count; t++) {
        if (!read_both(r, pair, &list[t]))
            continue;
        for (uint64_t i = 0; i < r->view[0].count; i++) {
            double d = (double)r->value[0][i] - r->value[1][i];
            sum += isfinite(d) ? d * d : 0;
        }
        elements += (double)r->view[0].count;
    }
    return elements > 0 ? sum / elements / 2 : 0;
}

void xr_measure_repeats(exray_comparison *c)
{
    xr_pairs *all[] = {&c->layers, &c->outputs};
    for (int s = 0; s < 2; s++) {
        twin_reader r = {
            .comparison = c, .side = (exray_side)s, .slot = {exray_slot_new(), exray_slot_new()}};
        twins list[MOST_TWINS];
        size_t count = r.slot[0] && r.slot[1] ? find_twins(&r, list) : 0;
        for (int k = 0; k < 2 && count; k++)
            for (size_t i = 0; i < all[k]->count; i++)
                all[k]->pair[i].repeat_square += repeat_square(&r, &all[k]->pair[i], list, count);
        exray_slot_free(r.slot[0]);
        exray_slot_free(r.slot[1]);
    }
}
