#include "compare/noise/few_lines.h"

#include "compare/match/shapes.h"
#include "compare/measure/table_input.h"

#include <math.h>
#include <stdlib.h>

/* Lines; values that are read of all frames. */
enum { LEAST_LINES = 8, MOST_VALUES = 1 << 22 };
/* So many of the lines may differ: what is noise is in all of them. */
#define FEW 0.25

/* Of one line: of the difference, and of the reference. */
typedef struct few_line_sums {
    double difference, sum, square;
} few_line_sums;

typedef struct few_table_sums {
    size_t size[2];
    few_line_sums *line[2]; /* rows, columns */
    uint64_t values;
} few_table_sums;

static bool read_side(const exray_comparison *c, const xr_pair *pair, int side, size_t frame,
                      exray_slot *slot, exray_tensor_view *view, const float **values)
{
    const exray_record *record = exray_log_find(c->log[side], c->frame[frame].frame[side], EXRAY_KIND_INPUT,
                                                EXRAY_NO_INDEX, 0, pair->name[side]);
    exray_error error;
    return record && record->has_data &&
           exray_log_read_values(c->log[side], record, slot, view, values, &error) == EXRAY_OK;
}

static void add(few_table_sums *t, const float *edge, const float *reference)
{
    for (size_t row = 0; row < t->size[0]; row++)
        for (size_t column = 0; column < t->size[1]; column++) {
            const double y = (double)*reference, d = (double)*edge - y;
            few_line_sums *both[2] = {&t->line[0][row], &t->line[1][column]};
            for (int a = 0; a < 2; a++)
                both[a]->difference += d * d, both[a]->sum += y, both[a]->square += y * y;
            edge++, reference++;
        }
}

/* false: a frame cannot be read, or is of another size. */
static bool add_frames(const exray_comparison *c, const xr_pair *pair, exray_slot *const slot[2],
                       few_table_sums *t)
{
    const uint64_t count = (uint64_t)t->size[0] * t->size[1];
    for (size_t f = 0; f < c->frame_count && t->values < MOST_VALUES; f++) {
        exray_tensor_view view[2];
        const float *v[2];
        for (int s = 0; s < 2; s++)
            if (!read_side(c, pair, s, f, slot[s], &view[s], &v[s]) || view[s].count != count)
                return false;
        add(t, v[EXRAY_SIDE_EDGE], v[EXRAY_SIDE_REFERENCE]);
        t->values += count;
    }
    return t->values > 0;
}

static double error_of(const few_table_sums *t, int axis)
{
    few_line_sums all = {0};
    size_t marked = 0;
    for (size_t i = 0; i < t->size[axis]; i++) {
        const few_line_sums *l = &t->line[axis][i];
        if (l->difference == 0)
            continue;
        all.difference += l->difference, all.sum += l->sum, all.square += l->square;
        marked++;
    }
    if (t->size[axis] < LEAST_LINES || marked == 0 || (double)marked > FEW * (double)t->size[axis])
        return 0;
    const double n = (double)t->values / (double)t->size[axis] * (double)marked;
    const double variance = all.square / n - all.sum / n * (all.sum / n);
    return variance > 0 ? sqrt(all.difference / n / variance) : 0;
}

double xr_error_in_few_lines(const exray_comparison *comparison, const xr_pair *pair)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    double error = 0;
    if (slot[0] && slot[1] && pair->layout == XR_LAYOUT_NONE &&
        xr_input_shape(comparison, pair, &info, slot[0]) && xr_squeeze(&info, shape) == 2 && shape[0] > 1 &&
        shape[1] > 1 && shape[0] <= MOST_VALUES && shape[1] <= MOST_VALUES) {
        few_table_sums t = {.size = {(size_t)shape[0], (size_t)shape[1]}};
        for (int a = 0; a < 2; a++)
            t.line[a] = calloc(t.size[a], sizeof *t.line[a]);
        if (t.line[0] && t.line[1] && add_frames(comparison, pair, slot, &t))
            error = fmax(error_of(&t, 0), error_of(&t, 1));
        free(t.line[0]);
        free(t.line[1]);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return error;
}
