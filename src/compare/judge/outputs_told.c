#include "compare/judge/outputs_told.h"

#include "compare/match/pairs.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 32 /* frames */, MOST_OUTPUTS = 16 };

const char *xr_task_named_in(const exray_comparison *c)
{
    const char *task = exray_log_metadata(c->log[0], "task");
    if (!task || !*task)
        task = exray_log_metadata(c->log[1], "task");
    return task ? task : "";
}

static bool read_output(const exray_comparison *c, size_t pair, exray_side side, size_t frame,
                        exray_slot *slot, exray_tensor_view *view, const float **values)
{
    exray_error error;
    const exray_record *record = xr_pair_record(c, &c->outputs.pair[pair], side, frame);
    return record && record->has_data &&
           exray_log_read_values(c->log[side], record, slot, view, values, &error) == EXRAY_OK;
}

static float at(const float *values, uint64_t i)
{
    float value;
    memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
    return value;
}

/* ---- One vector ---- */

/* What is true of the vector in every frame that was looked at. */
typedef struct vector_kind {
    bool any, sums_to_one, has_length_one, is_periodic;
} vector_kind;

/* Coordinates x, y (and z) in turn: what is in each place of a turn is more alike than all are.  The share of
 * the variance that the places explain is (period - 1) / (count - 1) by chance. */
static bool repeats(const float *values, uint64_t count, unsigned period)
{
    if (count % period || count < 10 * (uint64_t)period)
        return false;
    double sum[3] = {0}, all = 0, square = 0;
    for (uint64_t i = 0; i < count; i++) {
        const double v = at(values, i);
        sum[i % period] += v;
        all += v;
        square += v * v;
    }
    const double n = (double)count, each = n / period;
    const double total = square - all * all / n;
    double between = -all * all / n;
    for (unsigned k = 0; k < period; k++)
        between += sum[k] * sum[k] / each;
    return total > 0 && between / total > 0.25 + 8.0 * (period - 1) / n;
}

static void look_at(vector_kind *kind, const exray_tensor_view *view, const float *values)
{
    double sum = 0, square = 0, least = INFINITY;
    for (uint64_t i = 0; i < view->count; i++) {
        const double v = at(values, i);
        sum += v;
        square += v * v;
        least = fmin(least, v);
    }
    /* 8-bit scores each round. */
    const double step =
        view->info.quantization.count == 1 ? fabs((double)view->info.quantization.scale[0]) : 0;
    const double slack = 0.02 + fmin(step * (double)view->count / 2, 0.5);
    kind->sums_to_one = kind->sums_to_one && least >= -1e-6 && fabs(sum - 1) <= slack;
    kind->has_length_one = kind->has_length_one && view->count >= 8 && fabs(square - 1) < 0.02 + step;
    kind->is_periodic =
        kind->is_periodic && (repeats(values, view->count, 2) || repeats(values, view->count, 3));
    kind->any = true;
}

static vector_kind kind_of(const exray_comparison *c, exray_slot *slot)
{
    vector_kind kind = {false, true, true, true};
    const size_t step = c->frame_count / LOOKED_AT + 1;
    for (size_t f = 0; f < c->frame_count; f += step) {
        exray_tensor_view view;
        const float *values;
        if (read_output(c, 0, EXRAY_SIDE_REFERENCE, f, slot, &view, &values) && view.count > 1)
            look_at(&kind, &view, values);
    }
    return kind;
}

static bool has_labels(const exray_comparison *c)
{
    for (size_t f = 0; f < c->frame_count; f++)
        for (int s = 0; s < 2; s++)
            if (exray_log_frame(c->log[s], c->frame[f].frame[s])->has_label)
                return true;
    return false;
}

static bool name_has(const char *name, const char *const *words)
{
    char lower[128];
    size_t i = 0;
    for (; name && name[i] && i + 1 < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)name[i]);
    lower[i] = 0;
    for (; *words; words++)
        if (strstr(lower, *words))
            return true;
    return false;
}

static const char *const not_classes[] = {"embed",   "feature", "landmark", "keypoint", "coord",
                                          "regress", "bbox",    "boxes",    NULL};
static const char *const embeddings[] = {"embed", "feature", NULL};

bool xr_output_is_classes(const exray_comparison *c, exray_slot *slot)
{
    if (c->outputs.count != 1)
        return false;
    if (has_labels(c))
        return true;
    const vector_kind kind = kind_of(c, slot);
    if (kind.any && kind.sums_to_one)
        return true;
    return !name_has(c->outputs.pair[0].name[EXRAY_SIDE_REFERENCE], not_classes) &&
           !(kind.any && (kind.has_length_one || kind.is_periodic));
}

bool xr_output_is_shares(const exray_comparison *c, exray_slot *slot)
{
    if (c->outputs.count != 1)
        return false;
    const vector_kind kind = kind_of(c, slot);
    return kind.any && kind.sums_to_one;
}

/* ---- All tasks ---- */

const exray_task *xr_outputs_task(const exray_comparison *c, exray_slot *slot)
{
    const char *name = xr_task_named_in(c);
    if (*name)
        return strcmp(name, "classification") == 0 ? NULL : exray_task_named(name);
    if (c->outputs.count != 1 || xr_output_is_classes(c, slot))
        return NULL;
    const vector_kind kind = kind_of(c, slot);
    const bool is_embedding =
        kind.has_length_one || name_has(c->outputs.pair[0].name[EXRAY_SIDE_REFERENCE], embeddings);
    return exray_task_named(is_embedding ? "embedding" : "regression");
}

static int64_t label_offset(const exray_log *log)
{
    const char *text = exray_log_metadata(log, "label_offset");
    if (!text)
        return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || *end || end == text || value > INT32_MAX || value < INT32_MIN ? 0 : value;
}

bool xr_outputs_decide(const exray_comparison *c, const exray_task *task, exray_side side, size_t frame,
                       exray_slot *slot, exray_told *told, exray_result *out)
{
    exray_task_output outputs[MOST_OUTPUTS];
    const size_t count = c->outputs.count;
    if (count == 0 || count > MOST_OUTPUTS)
        return false;
    for (size_t i = 0; i < count; i++) {
        exray_tensor_view view;
        const float *values;
        if (!read_output(c, i, side, frame, slot, &view, &values))
            return false;
        /* The slot holds one record at a time. */
        exray_tensor_info *info = exray_told_room(told, 1, sizeof *info);
        int64_t *shape = exray_told_room(told, view.info.rank + 1, sizeof *shape);
        float *kept = exray_told_room(told, (size_t)view.count + 1, sizeof *kept);
        if (!info || !shape || !kept)
            return false;
        if (view.info.rank)
            memcpy(shape, view.info.shape, view.info.rank * sizeof *shape);
        if (view.count)
            memcpy(kept, values, (size_t)view.count * sizeof *kept);
        *info = (exray_tensor_info){
            .name = c->outputs.pair[i].name[side],
            .layout = view.info.layout && strcmp(view.info.layout, "NCHW") == 0 ? "NCHW" : NULL,
            .dtype = view.info.dtype,
            .rank = view.info.rank,
            .shape = shape};
        info->quantization.count =
            view.info.quantization.count; /* whether it is quantized is all that counts */
        outputs[i] = (exray_task_output){info, kept, view.count};
    }
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    options.label_offset = label_offset(c->log[side]);
    exray_error error;
    return task->decide(&options, outputs, count, told, out, &error) == EXRAY_OK && task->has(out);
}
