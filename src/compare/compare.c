#include "compare/compare.h"

#include "base/error.h"
#include "base/tensor.h"
#include "base/workers.h"
#include "compare/comparison.h"
#include "compare/judge/coverage.h"
#include "compare/judge/decisions.h"
#include "compare/judge/dissolve.h"
#include "compare/judge/localize.h"
#include "compare/judge/output_keys.h"
#include "compare/judge/outputs_told.h"
#include "compare/judge/task_measures.h"
#include "compare/match/frames/match_frames.h"
#include "compare/match/layout_choice.h"
#include "compare/match/pairs.h"
#include "compare/measure/input_unit.h"
#include "compare/measure/levels.h"
#include "compare/measure/measure.h"
#include "compare/measure/metrics.h"
#include "compare/measure/sketch_distance.h"
#include "compare/measure/step.h"
#include "compare/measure/table_input.h"
#include "compare/noise/input_noise.h"
#include "compare/noise/noise.h"
#include "compare/noise/repeats.h"
#include "compare/perf/durations.h"
#include "core/dtype.h"
#include "log/slot_room.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- What the public functions show --------------------------------------------- */

static exray_metrics pair_metrics(const xr_pair *pair, bool *from_stats)
{
    *from_stats = pair->frames == 0 && pair->stats.frames > 0;
    exray_metrics m = xr_moments_metrics(&pair->moments);
    if (!*from_stats)
        return m;
    const xr_stat_sums *sums = &pair->stats;
    m.count = sums->count;
    for (int s = 0; s < 2; s++) {
        uint64_t bad = sums->nan_count[s] + sums->inf_count[s];
        m.nan_count[s] = sums->nan_count[s];
        m.inf_count[s] = sums->inf_count[s];
        if (bad < sums->count) {
            m.min[s] = sums->min[s];
            m.max[s] = sums->max[s];
            m.mean[s] = sums->sum[s] / (double)(sums->count - bad);
            m.std[s] = xr_stats_std(sums, (exray_side)s);
        }
    }
    return m;
}

static const char *pair_problem(const xr_pair *pair, bool behind)
{
    if (pair->frames || pair->problem)
        return pair->problem;
    if (behind)
        return "the inputs have different shapes";
    return pair->stats.frames ? "only statistics were recorded" : "no frame has both records";
}

/* Frames whose layers, or (outputs) outputs, are not compared. */
static size_t frames_behind(const exray_comparison *c, bool outputs)
{
    size_t count = 0;
    for (size_t f = 0; f < c->frame_count; f++)
        count += c->behind[f] && !(outputs && c->padded[f]);
    return count;
}

/* Frames in which an output has other shapes because its inputs' rows are padded otherwise. */
static size_t frames_of_padding(const exray_comparison *c, const xr_pair *pair)
{
    size_t count = 0;
    for (size_t f = 0; f < c->frame_count; f++)
        count += c->padded[f] && pair->differs[f];
    return count;
}

/* Whether levels of an output may be those of 8 bits: not where the side's network has none, the other side's
 * output has no levels, and these are far fewer than 8 bits have. */
static bool may_be_8_bits(const exray_comparison *c, const xr_pair *pair, int side)
{
    enum { FEWEST = 64 }; /* of 256, from the least value to the largest */
    const xr_levels *l = pair->levels[side];
    const double range = l && l->count ? (double)l->value[l->count - 1] - (double)l->value[0] : 0;
    return pair->lattice[!side] > 0 || range >= FEWEST * pair->lattice[side] ||
           !xr_is_of_floats(exray_log_model(c->log[side]));
}

static void show_io(const exray_comparison *c, const xr_pairs *pairs, exray_io_pair *shown)
{
    const bool outputs = pairs == &c->outputs;
    for (size_t i = 0; i < pairs->count; i++) {
        xr_pair *pair = &pairs->pair[i];
        const size_t padding = outputs ? frames_of_padding(c, pair) : 0;
        const size_t behind = outputs ? frames_behind(c, true) + padding : 0;
        bool from_stats;
        shown[i].name[0] = pair->name[0];
        shown[i].name[1] = pair->name[1];
        shown[i].comparable = pair->frames > 0;
        shown[i].metrics = pair_metrics(pair, &from_stats);
        shown[i].problem = pair_problem(pair, behind > 0);
        shown[i].frames = pair->frames + pair->stats.frames;
        shown[i].other_shape = pair->other_shape - padding;
        shown[i].behind = behind;
        shown[i].table = pair->table;
        shown[i].table_channels = pair->table ? pair->table_channels : -1;
        for (int s = 0; s < 2; s++) {
            shown[i].unit_gain[s] = pair->unit[s].other ? pair->unit[s].gain : 1;
            shown[i].unit_offset[s] = pair->unit[s].other ? pair->unit[s].offset : 0;
            pair->lattice[s] = pair->levels[s] ? xr_levels_step(pair->levels[s]) : 0;
            if (pair->levels[s] && pair->lattice[s] == 0 && pair->stored[s].dtype == EXRAY_DTYPE_FLOAT32)
                pair->stored[s].dtype = xr_levels_type(pair->levels[s]);
            shown[i].step[s] = pair->stored[s].scale > 0 ? pair->stored[s].scale
                               : pair->samples[s]        ? xr_samples_step(pair->samples[s])
                               : pair->lattice[s] > 0    ? pair->lattice[s]
                                                         : NAN;
        }
        const bool of_bits[2] = {may_be_8_bits(c, pair, 0), may_be_8_bits(c, pair, 1)};
        for (int s = 0; s < 2; s++) {
            pair->lattice[s] = of_bits[s] ? pair->lattice[s] : 0;
            free(pair->samples[s]);
            free(pair->levels[s]);
            pair->samples[s] = NULL;
            pair->levels[s] = NULL;
        }
    }
}

/* Bounds equal the estimate, except for sketches. */
static void show_bounds(const xr_pair *pair, exray_layer_pair *shown)
{
    shown->nrmse_low = shown->nrmse_high = shown->metrics.nrmse;
    shown->cosine_low = shown->cosine_high = shown->metrics.cosine;
    shown->from_sketch = xr_has_sketch(pair);
    if (shown->from_sketch) {
        shown->from_stats = false;
        shown->problem = pair->problem;
        xr_sketch_metrics(pair, shown);
    }
}

/* The share of values at the limits of the edge's type, from statistics. */
static void show_ends(const exray_comparison *c, const xr_pair *pair, exray_layer_pair *shown)
{
    const exray_model *model = exray_log_model(c->log[EXRAY_SIDE_EDGE]);
    uint32_t tensor = pair->tensor[EXRAY_SIDE_EDGE];
    exray_dtype type =
        model && tensor < model->tensor_count ? model->tensors[tensor].dtype : EXRAY_DTYPE_FLOAT32;
    const xr_stat_sums *sums = &pair->stats;
    bool known = (shown->from_stats || shown->from_sketch) && !sums->ends_unknown && sums->count > 0 &&
                 xr_dtype_is_integer(type);
    shown->saturated_low = known ? (double)sums->saturated_low / (double)sums->count : NAN;
    shown->saturated_high = known ? (double)sums->saturated_high / (double)sums->count : NAN;
}

static const char *op_of(const exray_model *model, uint32_t node)
{
    return model && node < model->node_count && model->nodes[node].op ? model->nodes[node].op : "";
}

static void show_layers(exray_comparison *c)
{
    const size_t behind = frames_behind(c, false);
    for (size_t i = 0; i < c->layers.count; i++) {
        const xr_pair *pair = &c->layers.pair[i];
        exray_layer_pair *shown = &c->layer[i];
        shown->frames = pair->frames + pair->stats.frames;
        shown->other_shape = pair->other_shape;
        shown->output = pair->output[EXRAY_SIDE_EDGE];
        shown->reference_output = pair->output[EXRAY_SIDE_REFERENCE];
        shown->matched_by = pair->matched_by;
        shown->metrics = pair_metrics(pair, &shown->from_stats);
        shown->problem = pair->frames ? pair->problem : pair_problem(pair, behind > 0);
        for (int s = 0; s < 2; s++) {
            shown->node[s] = pair->index[s];
            shown->name[s] = pair->name[s];
            shown->op[s] = op_of(exray_log_model(c->log[s]), pair->index[s]);
        }
        show_bounds(pair, shown);
        show_ends(c, pair, shown);
    }
}

static void show_errors(exray_comparison *c)
{
    for (size_t i = 0; i < c->layers.count; i++) {
        c->layer[i].error = c->layers.pair[i].error;
        c->layer[i].error_low = c->layers.pair[i].error_low;
        c->layer[i].error_high =
            c->layer[i].from_stats && !isnan(c->layer[i].error) ? INFINITY : c->layers.pair[i].error_high;
        c->layer[i].noise = c->layers.pair[i].noise;
        c->layer[i].own_noise = c->layers.pair[i].own;
        c->layer[i].isolated_error = c->layers.pair[i].evaluated;
        c->layer[i].isolated_error_clamped = c->layers.pair[i].evaluated_within;
        c->layer[i].reference_error = c->layers.pair[i].reference_evaluated;
        c->layer[i].block_error = NAN;
        c->layer[i].block_first = EXRAY_NO_INDEX;
    }
    for (size_t i = 0; i < c->inputs.count; i++) {
        c->input[i].error = c->inputs.pair[i].error;
        c->input[i].noise = c->inputs.pair[i].noise;
        c->input[i].faint = xr_input_noise(c, &c->inputs.pair[i]) > 0;
    }
    for (size_t i = 0; i < c->outputs.count; i++) {
        c->output[i].error = c->outputs.pair[i].error;
        c->output[i].noise = c->outputs.pair[i].noise;
    }
}

/* ---- Making one ------------------------------------------------------------------- */

static bool out_of_memory(exray_error *error)
{
    xr_error_set(error, EXRAY_E_MEMORY, "out of memory while comparing the logs");
    return false;
}

static bool build(exray_comparison *c, const xr_compare_options *options, exray_error *error)
{
    if (!xr_match_frames(c) || !xr_match_tensors(c) || !xr_choose_layouts(c))
        return out_of_memory(error);
    c->input = calloc(c->inputs.count + 1, sizeof *c->input);
    c->output = calloc(c->outputs.count + 1, sizeof *c->output);
    c->layer = calloc(c->layers.count + 1, sizeof *c->layer);
    if (!c->input || !c->output || !c->layer)
        return out_of_memory(error);
    xr_find_tables(c);
    if (!xr_find_input_units(c))
        return out_of_memory(error);
    if (xr_measure(c, options, error) != EXRAY_OK)
        return false;
    show_io(c, &c->inputs, c->input);
    show_io(c, &c->outputs, c->output);
    show_layers(c);
    xr_measure_repeats(c);
    if (!xr_localize(c) || !xr_dissolve(c) || !xr_count_coverage(c))
        return out_of_memory(error);
    show_errors(c);
    for (int s = 0; s < 2; s++)
        if (!xr_latency_read(c->log[s], &c->latency[s]))
            return out_of_memory(error);
    if (!xr_readings_load(c))
        return out_of_memory(error);
    if (!xr_outputs_take_keys(c))
        return out_of_memory(error);
    return xr_judge_decisions(c, error) == EXRAY_OK && xr_judge_tasks(c, error) == EXRAY_OK;
}

exray_comparison *xr_compare(const exray_log *edge, const exray_log *reference,
                             const xr_compare_options *options, exray_error *error)
{
    exray_comparison *c = calloc(1, sizeof *c);
    if (!c) {
        out_of_memory(error);
        return NULL;
    }
    c->log[EXRAY_SIDE_EDGE] = edge;
    c->log[EXRAY_SIDE_REFERENCE] = reference;
    c->jobs = options && options->jobs ? options->jobs : xr_workers_processors();
    if (build(c, options, error))
        return c;
    xr_comparison_free(c);
    return NULL;
}

static void free_pairs(xr_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        for (int s = 0; s < 2; s++) {
            free(pairs->pair[i].samples[s]);
            free(pairs->pair[i].levels[s]);
        }
        free(pairs->pair[i].differs);
        free(pairs->pair[i].sketch);
    }
    free(pairs->pair);
}

void xr_comparison_settle(exray_comparison *comparison, size_t layer, exray_layer_role role)
{
    comparison->layer[layer].role = role;
}

void xr_comparison_free(exray_comparison *c)
{
    if (!c)
        return;
    xr_output_keys_free(c->keys);
    free_pairs(&c->inputs);
    free_pairs(&c->outputs);
    free_pairs(&c->layers);
    free(c->frame);
    free(c->behind);
    free(c->padded);
    free(c->input);
    free(c->output);
    free(c->layer);
    for (int s = 0; s < 2; s++)
        xr_latency_free(&c->latency[s]);
    free(c->made_names);
    free(c->inside);
    free(c->parted);
    free(c->measure);
    xr_readings_free(c);
    free(c);
}

/* ---- The public view ---------------------------------------------------------------- */

const exray_log *exray_comparison_log(const exray_comparison *c, exray_side side)
{
    return c->log[side == EXRAY_SIDE_REFERENCE];
}

size_t exray_comparison_frame_count(const exray_comparison *c)
{
    return c->frame_count;
}

exray_frame_pair exray_comparison_frame(const exray_comparison *c, size_t i)
{
    return c->frame[i];
}

size_t exray_comparison_unmatched_frames(const exray_comparison *c, exray_side side)
{
    return c->unmatched[side == EXRAY_SIDE_REFERENCE];
}

const char *exray_comparison_matched_by(const exray_comparison *c)
{
    return c->matched_by;
}

const exray_coverage *exray_comparison_coverage(const exray_comparison *c)
{
    return &c->coverage;
}

const exray_latency_table *exray_comparison_latency(const exray_comparison *c, exray_side side)
{
    return &c->latency[side == EXRAY_SIDE_REFERENCE].table;
}

size_t exray_comparison_layer_count(const exray_comparison *c)
{
    return c->layers.count;
}

const exray_layer_pair *exray_comparison_layer(const exray_comparison *c, size_t i)
{
    return i < c->layers.count ? &c->layer[i] : NULL;
}

size_t exray_comparison_input_count(const exray_comparison *c)
{
    return c->inputs.count;
}

const exray_io_pair *exray_comparison_input(const exray_comparison *c, size_t i)
{
    return i < c->inputs.count ? &c->input[i] : NULL;
}

size_t exray_comparison_output_count(const exray_comparison *c)
{
    return c->outputs.count;
}

const exray_io_pair *exray_comparison_output(const exray_comparison *c, size_t i)
{
    return i < c->outputs.count ? &c->output[i] : NULL;
}

const exray_accuracy *exray_comparison_accuracy(const exray_comparison *c)
{
    return &c->accuracy;
}

size_t exray_comparison_measure_count(const exray_comparison *c)
{
    return c->measure_count;
}

const exray_measure *exray_comparison_measure(const exray_comparison *c, size_t i)
{
    return i < c->measure_count ? &c->measure[i] : NULL;
}

static exray_status no_record(exray_error *error, exray_kind kind, size_t pair, size_t frame)
{
    return xr_error_set(error, EXRAY_E_STATE, "matched frame %zu has no %s record %zu with data", frame,
                        exray_kind_name(kind), pair);
}

static const exray_record *sensor_record(const exray_comparison *c, exray_side side, size_t frame, size_t n)
{
    size_t position = c->frame[frame].frame[side];
    const exray_record *record = exray_log_records(c->log[side], position);
    size_t count = exray_log_frame(c->log[side], position)->record_count;
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_SENSOR && n-- == 0)
            return &record[i];
    return NULL;
}

bool exray_comparison_same_shape(const exray_comparison *c, size_t frame, exray_kind kind, size_t pair)
{
    const xr_pairs *pairs = kind == EXRAY_KIND_INPUT    ? &c->inputs
                            : kind == EXRAY_KIND_OUTPUT ? &c->outputs
                                                        : NULL;
    return pairs && frame < c->frame_count && pair < pairs->count && !pairs->pair[pair].differs[frame];
}

bool exray_comparison_is_behind(const exray_comparison *c, size_t frame)
{
    return frame < c->frame_count && c->behind[frame];
}

bool exray_comparison_is_padded(const exray_comparison *c, size_t frame)
{
    return frame < c->frame_count && c->padded[frame];
}

xr_layout_match xr_comparison_layout(const exray_comparison *c, exray_kind kind, size_t position,
                                     const exray_tensor_info *edge, const exray_tensor_info *reference)
{
    const xr_pairs *pairs = kind == EXRAY_KIND_INPUT    ? &c->inputs
                            : kind == EXRAY_KIND_OUTPUT ? &c->outputs
                                                        : &c->layers;
    xr_layout_match same = xr_match_layout(edge, reference);
    if (same == XR_LAYOUT_SAME || position >= pairs->count)
        return same; /* cubes are turned as they are read */
    return xr_pair_layout(&pairs->pair[position], edge, reference);
}

/* Whoever reads both sides sees them in one order, also where no shape tells that they are in two: the edge's
 * values as the reference has them. */
static exray_status turn_cube(const xr_pair *pair, exray_slot *slot, exray_tensor_view *view,
                              const float **values, exray_error *error)
{
    const bool flattened = pair->flattened[0];
    exray_tensor_info info = flattened ? xr_before_flattening(&view->info, pair->flattened) : view->info;
    xr_layout_match how = flattened ? pair->layout : xr_cube_layout(pair, &info);
    if (!*values || how == XR_LAYOUT_SAME || xr_elements(&info) != view->count)
        return EXRAY_OK;
    float *room = xr_slot_room(slot, view->count);
    if (!room)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while comparing the logs");
    xr_convert_layout(&info, *values, how, room);
    *values = room;
    if (!flattened)
        view->info.layout = pair->reference_layout;
    return EXRAY_OK;
}

/* After cubes are turned, whose room it shares. */
static exray_status take_unit(const xr_pair *pair, exray_side side, exray_slot *slot,
                              const exray_tensor_view *view, const float **values, exray_error *error)
{
    if (!*values || !xr_has_unit(pair, side))
        return EXRAY_OK;
    float *room = xr_slot_room(slot, view->count);
    if (!room)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while comparing the logs");
    xr_to_unit(&pair->unit[side], *values, view->count, room);
    *values = room;
    return EXRAY_OK;
}

exray_status exray_comparison_values(const exray_comparison *c, exray_side side, size_t frame,
                                     exray_kind kind, size_t pair, exray_slot *slot, exray_tensor_view *view,
                                     const float **values, exray_error *error)
{
    const xr_pairs *pairs = kind == EXRAY_KIND_INPUT    ? &c->inputs
                            : kind == EXRAY_KIND_OUTPUT ? &c->outputs
                            : kind == EXRAY_KIND_LAYER  ? &c->layers
                                                        : NULL;
    const exray_record *record = NULL;
    if (frame < c->frame_count && c->behind[frame] &&
        (kind == EXRAY_KIND_LAYER || (kind == EXRAY_KIND_OUTPUT && !c->padded[frame])))
        return xr_error_set(
            error, EXRAY_E_STATE,
            "in matched frame %zu the inputs have different shapes: what follows is not compared", frame);
    if (frame < c->frame_count && kind == EXRAY_KIND_SENSOR)
        record = sensor_record(c, side, frame, pair);
    else if (frame < c->frame_count && pairs && pair < pairs->count)
        record = xr_pair_record(c, &pairs->pair[pair], side, frame);
    if (!record || !record->has_data)
        return no_record(error, kind, pair, frame);
    exray_status status =
        exray_log_read_values(c->log[side == EXRAY_SIDE_REFERENCE], record, slot, view, values, error);
    if (status == EXRAY_OK && side == EXRAY_SIDE_EDGE && pairs)
        status = turn_cube(&pairs->pair[pair], slot, view, values, error);
    if (status == EXRAY_OK && pairs)
        status = take_unit(&pairs->pair[pair], side, slot, view, values, error);
    return status;
}
