#include "compare/judge/outputs_told.h"

#include "base/picture_size.h"
#include "compare/judge/output_keys.h"
#include "compare/match/pairs.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LOOKED_AT = 32 /* frames */, MOST_OUTPUTS = XR_OUTPUT_HEADS_MOST };

const char *xr_task_named_in(const exray_comparison *c)
{
    const char *task = exray_log_metadata(c->log[0], "task");
    if (!task || !*task)
        task = exray_log_metadata(c->log[1], "task");
    return task ? task : "";
}

/* The size of the picture that the model takes, where an input has a picture's shape. */
static void size_of_picture(const exray_comparison *c, exray_slot *slot, exray_task_options *options)
{
    for (size_t i = 0; i < c->inputs.count && options->input_width == 0 && c->frame_count; i++) {
        exray_error error;
        exray_tensor_view view;
        const exray_record *record = xr_pair_record(c, &c->inputs.pair[i], EXRAY_SIDE_REFERENCE, 0);
        if (record &&
            exray_log_read_tensor(c->log[EXRAY_SIDE_REFERENCE], record, slot, &view, &error) == EXRAY_OK)
            xr_picture_size(view.info.shape, view.info.rank, &options->input_width, &options->input_height);
    }
}

bool xr_outputs_take_keys(exray_comparison *c)
{
    exray_slot *slot = exray_slot_new();
    c->keys = slot ? xr_output_keys_of(c->log) : NULL;
    for (int s = 0; s < 2 && c->keys; s++)
        if (c->keys[s].options.head)
            size_of_picture(c, slot, &c->keys[s].options);
    exray_slot_free(slot);
    return c->keys != NULL;
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

static vector_kind kind_of(const exray_comparison *c, size_t pair, exray_slot *slot)
{
    vector_kind kind = {false, true, true, true};
    const size_t step = c->frame_count / LOOKED_AT + 1;
    for (size_t f = 0; f < c->frame_count; f += step) {
        exray_tensor_view view;
        const float *values;
        if (read_output(c, pair, EXRAY_SIDE_REFERENCE, f, slot, &view, &values) && view.count > 1)
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

static bool looks_like_classes(const exray_comparison *c, size_t pair, vector_kind kind)
{
    if (kind.any && kind.sums_to_one)
        return true;
    return !name_has(c->outputs.pair[pair].name[EXRAY_SIDE_REFERENCE], not_classes) &&
           !(kind.any && (kind.has_length_one || kind.is_periodic));
}

static const exray_task *task_of_numbers(const exray_comparison *c, size_t pair, vector_kind kind)
{
    const bool is_embedding = (kind.any && kind.has_length_one) ||
                              name_has(c->outputs.pair[pair].name[EXRAY_SIDE_REFERENCE], embeddings);
    return exray_task_named(is_embedding ? "embedding" : "regression");
}

bool xr_output_is_classes(const exray_comparison *c, exray_slot *slot)
{
    if (c->outputs.count != 1)
        return false;
    if (has_labels(c))
        return true;
    return looks_like_classes(c, 0, kind_of(c, 0, slot));
}

bool xr_output_is_shares(const exray_comparison *c, exray_slot *slot)
{
    if (c->outputs.count != 1)
        return false;
    const vector_kind kind = kind_of(c, 0, slot);
    return kind.any && kind.sums_to_one;
}

/* ---- All tasks ---- */

/* Reads outputs of a frame into `told`: the slot holds one record at a time.  False: one has no data. */
static bool read_outputs(const exray_comparison *c, xr_output_set set, exray_side side, size_t frame,
                         exray_slot *slot, exray_told *told, exray_task_output *outputs)
{
    for (size_t i = 0; i < set.count; i++) {
        exray_tensor_view view;
        const float *values;
        if (!read_output(c, set.first + i, side, frame, slot, &view, &values))
            return false;
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
            .name = c->outputs.pair[set.first + i].name[side],
            .layout = view.info.layout && strcmp(view.info.layout, "NCHW") == 0 ? "NCHW" : NULL,
            .dtype = view.info.dtype,
            .rank = view.info.rank,
            .shape = shape};
        info->quantization.count =
            view.info.quantization.count; /* whether it is quantized is all that counts */
        outputs[i] = (exray_task_output){info, kept, view.count};
    }
    return true;
}

/* All outputs of the first frame that has them. */
static bool read_first(const exray_comparison *c, exray_slot *slot, exray_told *told,
                       exray_task_output *outputs)
{
    const xr_output_set all = {NULL, 0, c->outputs.count};
    const size_t step = c->frame_count / LOOKED_AT + 1;
    for (size_t f = 0; f < c->frame_count; f += step) {
        exray_told_clear(told);
        if (read_outputs(c, all, EXRAY_SIDE_REFERENCE, f, slot, told, outputs))
            return true;
    }
    return false;
}

/* The neighbours that a task takes: of a task that does not say how many it needs the fewest, of a head as
 * many as fit. */
static xr_output_set set_of_task(const exray_task *task, const exray_task_options *options,
                                 const exray_task_output *outputs, size_t count)
{
    const exray_tensor_info *info[MOST_OUTPUTS];
    char why[200];
    for (size_t i = 0; i < count; i++)
        info[i] = outputs[i].info;
    for (size_t k = 1; k <= count; k++) {
        const size_t length = options->head ? count + 1 - k : k;
        for (size_t first = 0; first + length <= count; first++)
            if (task->fits(options, info + first, length, why, sizeof why))
                return (xr_output_set){task, first, length};
    }
    return (xr_output_set){NULL, 0, 0};
}

/* Tasks that one vector is enough for: of several outputs each is read by itself. */
static bool is_of_one_vector(const char *task)
{
    static const char *const names[] = {"classification", "multi_label", "embedding", "regression"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(task, names[i]) == 0)
            return true;
    return false;
}

xr_output_set xr_outputs_set(const exray_comparison *c, exray_slot *slot, exray_told *told)
{
    const xr_output_set none = {NULL, 0, 0};
    const char *name = xr_task_named_in(c);
    const exray_task *task = exray_task_named(name);
    exray_task_output outputs[MOST_OUTPUTS];
    if (c->outputs.count == 0 || c->outputs.count > MOST_OUTPUTS)
        return none;
    if (c->outputs.count == 1) {
        if (*name)
            return task && strcmp(name, "classification") != 0 ? (xr_output_set){task, 0, 1} : none;
        return xr_output_is_classes(c, slot)
                   ? none
                   : (xr_output_set){task_of_numbers(c, 0, kind_of(c, 0, slot)), 0, 1};
    }
    /* Post-processed boxes are known by their shapes. */
    if (!task || is_of_one_vector(name))
        task = *name ? NULL : exray_task_named("detection");
    if (!task || !read_first(c, slot, told, outputs))
        return none;
    return set_of_task(task, &c->keys[EXRAY_SIDE_REFERENCE].options, outputs, c->outputs.count);
}

bool xr_outputs_place_known(const exray_comparison *c)
{
    return !c->keys[EXRAY_SIDE_REFERENCE].options.head || c->keys[EXRAY_SIDE_REFERENCE].whole;
}

bool xr_outputs_decide(const exray_comparison *c, xr_output_set set, exray_side side, size_t frame,
                       exray_slot *slot, exray_told *told, exray_result *out)
{
    exray_task_output outputs[MOST_OUTPUTS];
    exray_error error;
    return set.task && set.count <= MOST_OUTPUTS && read_outputs(c, set, side, frame, slot, told, outputs) &&
           set.task->decide(&c->keys[side].options, outputs, set.count, told, out, &error) == EXRAY_OK &&
           set.task->has(out);
}

/* ---- Outputs that are a head of their own ---- */

static bool is_whole_number(const exray_tensor_info *info)
{
    return info->quantization.count == 0 && info->dtype != EXRAY_DTYPE_FLOAT32 &&
           info->dtype != EXRAY_DTYPE_FLOAT16 && info->dtype != EXRAY_DTYPE_BFLOAT16 &&
           info->dtype != EXRAY_DTYPE_FLOAT64;
}

/* A number for each row of another output, such as its score: [1, n] beside [1, n, 4]. */
static bool is_column(const exray_task_output *outputs, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++) {
        const exray_tensor_info *info = outputs[i].info;
        if (i != at && info->rank == 3 && info->shape[1] > 1 && info->shape[2] > 1 &&
            (uint64_t)info->shape[1] == outputs[at].count)
            return true;
    }
    return false;
}

/* What the next run gets as an input: it has an input's shape. */
static bool is_state(const exray_comparison *c, const exray_tensor_info *info, exray_slot *slot)
{
    for (size_t i = 0; i < c->inputs.count; i++) {
        exray_error error;
        exray_tensor_view view;
        const exray_record *record = xr_pair_record(c, &c->inputs.pair[i], EXRAY_SIDE_REFERENCE, 0);
        if (record &&
            exray_log_read_tensor(c->log[EXRAY_SIDE_REFERENCE], record, slot, &view, &error) == EXRAY_OK &&
            view.info.rank == info->rank && info->rank > 1 &&
            memcmp(view.info.shape, info->shape, info->rank * sizeof *info->shape) == 0)
            return true;
    }
    return false;
}

static bool is_vector(const exray_tensor_info *info)
{
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        dimensions += info->shape[i] != 1;
    return dimensions <= 1;
}

static const exray_task *task_of_head(const exray_comparison *c, size_t pair, uint64_t count,
                                      exray_slot *slot)
{
    const char *name = xr_task_named_in(c);
    const vector_kind kind = kind_of(c, pair, slot);
    if (strcmp(name, "regression") == 0)
        return exray_task_named(name);
    if (count < 2 || !looks_like_classes(c, pair, kind))
        return task_of_numbers(c, pair, kind);
    return exray_task_named(strcmp(name, "multi_label") == 0 && !kind.sums_to_one ? name : "classification");
}

size_t xr_outputs_heads(const exray_comparison *c, xr_output_set whole, exray_slot *slot, exray_told *told,
                        xr_output_head *out)
{
    exray_task_output outputs[MOST_OUTPUTS];
    const size_t count = c->outputs.count;
    const bool vectors = strcmp(xr_task_named_in(c), "regression") != 0;
    size_t found = 0;
    if (count < 2 || count > MOST_OUTPUTS || !read_first(c, slot, told, outputs))
        return 0;
    for (size_t i = 0; i < count; i++) {
        const bool is_read = whole.task && i >= whole.first && i < whole.first + whole.count;
        if (is_read || outputs[i].count == 0 || (vectors && !is_vector(outputs[i].info)) ||
            is_whole_number(outputs[i].info) || is_column(outputs, count, i) ||
            is_state(c, outputs[i].info, slot))
            continue;
        out[found++] = (xr_output_head){{task_of_head(c, i, outputs[i].count, slot), i, 1},
                                        c->outputs.pair[i].name[EXRAY_SIDE_REFERENCE],
                                        outputs[i].count};
    }
    return found;
}
