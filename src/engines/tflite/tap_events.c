/* At run time: the profiler's events become records.  Nothing is allocated here.
 *
 * For each execution of a subgraph TFLite reports begin and end of every node in the plan's order, nested
 * where a node runs other subgraphs, and finally "Invoke" with the status. A delegate's partition has no
 * events except those of the delegate itself: XNNPACK reports, right after it ran, the time of each of its
 * own operators, numbered from 0. So a partition has ended when an event of something behind it in the plan
 * comes. Several in a row end before one event: the values that later ones have not overwritten are still
 * there.
 *
 * The tap's own time is subtracted from every latency: durations and starts are those of a run without a tap.
 */
#include "engines/tflite/tap_events.h"

#include "engines/tflite/tap_tensor.h"

#include <string.h>

static uint64_t now(const xr_tap *tap)
{
    return exray_recorder_now(tap->recorder);
}

static bool is_live(const xr_tap *tap)
{
    return atomic_load_explicit(&tap->live, memory_order_relaxed) && tap->tables;
}

static void fail_changed(xr_tap *tap)
{
    xr_tap_fail(tap, EXRAY_E_STATE,
                "the interpreter does not run the nodes that it had when the tap was prepared: add delegates "
                "(XNNPACK, ...) to the options before exray_tflite_attach");
}

/* ---- Records ---------------------------------------------------------------- */

static const TfLiteOpaqueTensor *tensor_at(const xr_tap *tap, const xr_tap_subgraph *subgraph,
                                           uint32_t position)
{
    /* Looked up each time: TFLite moves its table of tensors when it grows. */
    return tap->api.OpaqueContextGetOpaqueTensor(subgraph->context, (int)(position - subgraph->first_tensor));
}

static void record_io(xr_tap *tap, exray_kind kind)
{
    const xr_tap_subgraph *subgraph = &tap->tables->subgraphs[tap->levels[0].subgraph];
    bool in = kind == EXRAY_KIND_INPUT, state = kind == EXRAY_KIND_STATE;
    const uint32_t *positions = in ? subgraph->inputs : state ? subgraph->states : subgraph->outputs;
    const char *const *names = in      ? subgraph->input_names
                               : state ? subgraph->state_names
                                       : subgraph->output_names;
    uint32_t count = in ? subgraph->input_count : state ? subgraph->state_count : subgraph->output_count;
    for (uint32_t i = 0; i < count; i++) {
        if (positions[i] == EXRAY_NO_INDEX || !exray_recorder_wants(tap->recorder, kind, i, names[i]))
            continue;
        exray_tensor record = {.kind = kind, .index = i};
        xr_tap_record(tap, &record, positions[i], names[i], tensor_at(tap, subgraph, positions[i]));
    }
}

static void record_outputs(xr_tap *tap, uint32_t position)
{
    const xr_tap_tables *tables = tap->tables;
    const exray_node *node = &tables->model.nodes[position];
    uint32_t occurrence = tables->occurrence[position]++;
    if (!exray_recorder_wants(tap->recorder, EXRAY_KIND_LAYER, position, node->name))
        return;
    const xr_tap_subgraph *subgraph = &tables->subgraphs[node->subgraph];
    for (uint32_t k = 0; k < node->output_count; k++) {
        if (node->outputs[k] == EXRAY_NO_INDEX)
            continue;
        exray_tensor record = {
            .kind = EXRAY_KIND_LAYER, .index = position, .output = k, .occurrence = occurrence};
        xr_tap_record(tap, &record, node->outputs[k], NULL, tensor_at(tap, subgraph, node->outputs[k]));
    }
}

static void note_latency(xr_tap *tap, uint32_t node, uint64_t begin_ns, uint64_t own_ns, uint64_t duration_ns)
{
    xr_tap_tables *tables = tap->tables;
    if (tap->latency_count == tables->latency_capacity) {
        tap->lost_latencies++;
        return;
    }
    uint32_t i = tap->latency_count++;
    tables->latency_node[i] = node;
    tables->latency_start[i] = tap->run_offset_ns + (begin_ns - tap->run_begin_ns) - own_ns;
    tables->latency_duration[i] = duration_ns;
}

/* ---- Runs --------------------------------------------------------------------- */

static void begin_run(xr_tap *tap, uint64_t entered)
{
    uint64_t begin = tap->announced ? tap->announced_ns : entered;
    tap->is_begin_known = tap->announced;
    tap->is_time_known = true;
    tap->announced = false;
    /* A frame is one run: an application that begins no frames gets a new one for each run. */
    if (tap->has_run && exray_recorder_frame_index(tap->recorder) == tap->last_frame)
        exray_recorder_frame_begin(tap->recorder, NULL);
    uint64_t elapsed = exray_recorder_frame_elapsed(tap->recorder), ago = now(tap) - begin;
    tap->run_offset_ns = elapsed > ago ? elapsed - ago : 0;
    tap->run_frame = exray_recorder_frame_index(tap->recorder);
    tap->run_begin_ns = begin;
    tap->own_ns = 0;
    tap->unseen_ns = 0;
    tap->latency_count = 0;
    tap->reported = EXRAY_NO_INDEX;
    memset(tap->tables->occurrence, 0, tap->tables->model.node_count * sizeof *tap->tables->occurrence);
    /* TFLite keeps the memory of a graph's inputs until the run ends, so they still are what the application
     * wrote even if a partition has run. */
    record_io(tap, EXRAY_KIND_INPUT);
    /* Variables are what the run before left, until their node has run: the first event is a node's begin,
     * except where a partition has run before it. */
    const xr_tap_subgraph *main = &tap->tables->subgraphs[0];
    if (main->plan_size && !tap->tables->is_partition[main->first_node])
        record_io(tap, EXRAY_KIND_STATE);
}

static void end_run(xr_tap *tap, uint64_t entered)
{
    const xr_tap_tables *tables = tap->tables;
    record_io(tap, EXRAY_KIND_OUTPUT);
    /* A partition at the beginning had ended before the first event. */
    if (tap->unseen_ns && tap->latency_count)
        tables->latency_start[0] =
            tap->run_offset_ns > tap->unseen_ns ? tap->run_offset_ns - tap->unseen_ns : 0;
    if (tap->latency_count)
        exray_recorder_log_latency(tap->recorder, tables->latency_node, tables->latency_start,
                                   tables->latency_duration, tap->latency_count);
    if (tap->is_time_known)
        exray_recorder_frame_inference(tap->recorder,
                                       entered - tap->run_begin_ns - tap->own_ns + tap->unseen_ns);
}

/* The execution of a subgraph that an event at the current depth belongs to. */
static xr_tap_level *enter_level(xr_tap *tap, uint32_t subgraph, uint64_t entered)
{
    xr_tap_level *level = &tap->levels[tap->depth];
    if (level->active && level->subgraph == subgraph)
        return level;
    *level =
        (xr_tap_level){.active = true, .subgraph = subgraph, .last_ns = entered, .last_own_ns = tap->own_ns};
    if (tap->depth == 0) {
        begin_run(tap, entered);
        level->last_ns = tap->run_begin_ns;
        level->last_own_ns = 0;
    }
    return level;
}

/* ---- Silent partitions ---------------------------------------------------------- */

/* Records how long each of the partitions [cursor, place) took, as far as that follows from the times of the
 * last event before them and of this one: it does for a single partition, and for two if the second reports
 * its own time (`reported`). At the begin of a run, the event before is the application's announcement. */
static void note_silent(xr_tap *tap, const xr_tap_level *level, uint32_t place, uint64_t entered,
                        bool reported)
{
    uint32_t count = place - level->cursor;
    uint32_t last = tap->tables->subgraphs[level->subgraph].first_node + place - 1;
    uint64_t elapsed = entered - level->last_ns - (tap->own_ns - level->last_own_ns);
    bool unseen = tap->depth == 0 && level->cursor == 0 && !tap->is_begin_known;
    tap->reported = EXRAY_NO_INDEX;
    if (count == 1 && !unseen) {
        note_latency(tap, last, level->last_ns, level->last_own_ns, elapsed);
        return;
    }
    bool divided = count == 2 && !unseen && reported;
    if (divided) {
        tap->reported_from = tap->latency_count;
        note_latency(tap, last - 1, level->last_ns, level->last_own_ns, elapsed);
    } else
        tap->lost_times += count - (unseen && reported);
    tap->is_time_known = tap->is_time_known && (!unseen || (count == 1 && reported));
    if (!divided && !(unseen && reported))
        return;
    if (unseen)
        tap->reported_from = EXRAY_NO_INDEX;
    tap->reported = tap->latency_count;
    note_latency(tap, last, level->last_ns, level->last_own_ns, 0);
}

/* Records the partitions between the cursor and `place` in the plan, which have ended just before the current
 * event. */
static void catch_up(xr_tap *tap, xr_tap_level *level, uint32_t place, uint64_t entered, bool reported)
{
    const xr_tap_tables *tables = tap->tables;
    uint32_t first = tables->subgraphs[level->subgraph].first_node;
    for (uint32_t i = level->cursor; i < place; i++)
        if (!tables->is_partition[first + i]) {
            fail_changed(tap);
            return;
        }
    if (level->cursor < place)
        note_silent(tap, level, place, entered, reported);
    for (; level->cursor < place; level->cursor++) {
        uint32_t position = first + level->cursor;
        if (tables->whole_until[position] + 1 >= place) {
            record_outputs(tap, position);
        } else {
            tables->occurrence[position]++;
            tap->lost_partitions++;
        }
    }
}

/* Gives `duration`, of the time that is known, to the delegate that ran last. */
static void add_report(xr_tap *tap, uint64_t duration)
{
    uint64_t *durations = tap->tables->latency_duration, *starts = tap->tables->latency_start;
    uint32_t from = tap->reported_from;
    if (from == EXRAY_NO_INDEX) {
        tap->unseen_ns += duration;
    } else {
        if (duration > durations[from])
            duration = durations[from];
        durations[from] -= duration;
        starts[tap->reported] = starts[from] + durations[from];
    }
    durations[tap->reported] += duration;
}

/* A delegate reports the time of one of its own operators. */
void xr_tap_delegate_op(TfLiteTelemetryProfilerStruct *self, const char *name, uint64_t elapsed_us,
                        int64_t op, int64_t subgraph)
{
    (void)name;
    xr_tap *tap = self->data;
    if (!is_live(tap) || subgraph < 0 || subgraph >= tap->tables->subgraph_count)
        return;
    uint64_t entered = now(tap);
    if (op == 0) {
        xr_tap_level *level = enter_level(tap, (uint32_t)subgraph, entered);
        const xr_tap_subgraph *in = &tap->tables->subgraphs[subgraph];
        uint32_t place = level->cursor;
        while (place < in->plan_size && !tap->tables->reports[in->first_node + place])
            place++;
        if (place == in->plan_size) {
            fail_changed(tap);
            return;
        }
        catch_up(tap, level, place + 1, entered, true);
        uint64_t leave = now(tap);
        tap->own_ns += leave - entered;
        level->last_ns = leave;
        level->last_own_ns = tap->own_ns;
    }
    if (tap->reported < tap->latency_count)
        add_report(tap, elapsed_us * 1000);
}

/* ---- Nodes ------------------------------------------------------------------------ */

/* A delegate may report its own operators with numbers of its own; their names tell them from nodes of the
 * model. */
static bool is_of_delegate(const xr_tap *tap, uint32_t position, const char *op_name)
{
    if (!tap->tables->partitions)
        return false;
    return position == EXRAY_NO_INDEX || !op_name ||
           strcmp(op_name, tap->tables->model.nodes[position].op) != 0;
}

uint32_t xr_tap_begin_op(TfLiteTelemetryProfilerStruct *self, const char *op_name, int64_t op,
                         int64_t subgraph)
{
    enum { REPORT_NO_END = -1 };
    xr_tap *tap = self->data;
    if (!is_live(tap))
        return (uint32_t)REPORT_NO_END;
    uint64_t entered = now(tap);
    if (tap->depth == XR_TAP_MAX_DEPTH || subgraph < 0 || subgraph >= tap->tables->subgraph_count) {
        tap->lost_events++;
        return (uint32_t)REPORT_NO_END;
    }
    const xr_tap_subgraph *in = &tap->tables->subgraphs[subgraph];
    uint32_t position = op >= 0 && op < in->node_count ? in->position[op] : EXRAY_NO_INDEX;
    if (is_of_delegate(tap, position, op_name))
        return (uint32_t)REPORT_NO_END;
    if (position == EXRAY_NO_INDEX) {
        fail_changed(tap);
        return (uint32_t)REPORT_NO_END;
    }
    xr_tap_level *level = enter_level(tap, (uint32_t)subgraph, entered);
    catch_up(tap, level, position - in->first_node, entered, false);
    tap->reported = EXRAY_NO_INDEX;
    uint64_t leave = now(tap);
    tap->own_ns += leave - entered;
    tap->open[tap->depth] = (xr_tap_open){.node = position, .begin_ns = leave, .own_ns = tap->own_ns};
    tap->depth++;
    tap->levels[tap->depth].active = false;
    return tap->depth - 1;
}

void xr_tap_end_op(TfLiteTelemetryProfilerStruct *self, uint32_t handle)
{
    xr_tap *tap = self->data;
    if (!is_live(tap) || handle >= tap->depth)
        return;
    uint64_t entered = now(tap);
    tap->depth = handle; /* executions inside it have ended, too */
    const xr_tap_open *open = &tap->open[handle];
    xr_tap_level *level = &tap->levels[handle];
    note_latency(tap, open->node, open->begin_ns, open->own_ns,
                 entered - open->begin_ns - (tap->own_ns - open->own_ns));
    record_outputs(tap, open->node);
    level->cursor = open->node - tap->tables->subgraphs[level->subgraph].first_node + 1;
    uint64_t leave = now(tap);
    tap->own_ns += leave - entered;
    level->last_ns = leave;
    level->last_own_ns = tap->own_ns;
}

/* ---- The end of a subgraph's execution ------------------------------------------------ */

void xr_tap_event(TfLiteTelemetryProfilerStruct *self, const char *name, uint64_t status)
{
    xr_tap *tap = self->data;
    if (!is_live(tap) || !name || strcmp(name, "Invoke") != 0)
        return;
    uint64_t entered = now(tap);
    xr_tap_level *level = &tap->levels[tap->depth];
    /* The upper half is the source, the lower half the TfLiteStatus. */
    if ((uint32_t)status != kTfLiteOk) {
        tap->unfinished += tap->depth == 0;
        tap->announced = false;
        level->active = false;
        return;
    }
    if (!level->active) {
        /* No event came: only for the primary subgraph it is known which one ran. */
        if (tap->depth > 0)
            return;
        level = enter_level(tap, 0, entered);
    }
    catch_up(tap, level, tap->tables->subgraphs[level->subgraph].plan_size, entered, false);
    level->active = false;
    if (tap->depth == 0 && is_live(tap))
        end_run(tap, entered);
    uint64_t leave = now(tap);
    tap->own_ns += leave - entered;
    if (tap->depth == 0) {
        tap->has_run = true;
        tap->last_frame = tap->run_frame;
    }
}
