#include "compare/perf/durations.h"

#include "base/sort.h"
#include "compare/perf/macs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_FRAMES = 4096,   /* whose durations of nodes are kept */
    MOST_CELLS = 4 << 20, /* durations kept at a time: 32 MiB */
    MOST_NODES = 1 << 16, /* of a log without a model */
    FEW = 5,              /* frames that distinguish a warm-up from chance */
};

/* ---- Statistics -------------------------------------------------------------- */

/* The rank k (from 0) for which [x_k, x_(n-1-k)] holds the median with 99 %: at most half a
 * percent of all samples have k or fewer values on one side of it (binomial, p = 1/2). */
static size_t median_rank(size_t count)
{
    if (count > 1000) {
        double k = (double)count / 2 - 2.576 * sqrt((double)count) / 2;
        return k > 1 ? (size_t)k - 1 : 0;
    }
    double term = pow(0.5, (double)count), sum = term;
    size_t k = 0;
    while (sum + term * (double)(count - k) / (double)(k + 1) <= 0.005) {
        term *= (double)(count - k) / (double)(k + 1);
        sum += term;
        k++;
    }
    return k;
}

exray_durations xr_durations(double *value, size_t count)
{
    if (count == 0)
        return (exray_durations){0, NAN, NAN, NAN, NAN, NAN};
    qsort(value, count, sizeof *value, xr_by_double);
    size_t k = count < 8 ? 0 : median_rank(count);
    return (exray_durations){.count = count,
                             .least = value[0],
                             .median = (value[(count - 1) / 2] + value[count / 2]) / 2,
                             .p90 = value[(size_t)ceil(0.9 * (double)count) - 1],
                             .low = value[k],
                             .high = value[count - 1 - k]};
}

/* ---- Frames ------------------------------------------------------------------ */

/* How many of the first frames are a warm-up: each slower than 1.25 times the upper end of the middle
 * frames' spread, consecutive from the start, and at most a quarter of all. */
static size_t warmup_frames(const double *inference, size_t count, double *scratch)
{
    if (count < FEW)
        return 0;
    size_t from = count / 4 > 0 ? count / 4 : 1;
    memcpy(scratch, inference + from, (count - from) * sizeof *scratch);
    exray_durations rest = xr_durations(scratch, count - from);
    double limit = rest.median + 2 * (rest.p90 - rest.median);
    if (limit < 1.25 * rest.median)
        limit = 1.25 * rest.median;
    size_t warm = 0;
    while (warm < from && inference[warm] > limit)
        warm++;
    return warm;
}

static bool read_frames(const exray_log *log, xr_latency *out)
{
    size_t total = exray_log_frame_count(log), count = 0;
    out->inference = calloc(total + 1, sizeof *out->inference);
    out->frame = calloc(total + 1, sizeof *out->frame);
    double *scratch = calloc(total + 1, sizeof *scratch);
    bool ok = out->inference && out->frame && scratch;
    for (size_t i = 0; ok && i < total; i++) {
        uint64_t ns = exray_log_frame(log, i)->inference_ns;
        if (ns == 0)
            continue;
        out->frame[count] = i;
        out->inference[count++] = (double)ns;
    }
    if (ok) {
        exray_latency_table *t = &out->table;
        t->frames = count;
        t->inference = out->inference;
        t->frame = out->frame;
        t->warmup = warmup_frames(out->inference, count, scratch);
        memcpy(scratch, out->inference + t->warmup, (count - t->warmup) * sizeof *scratch);
        t->settled = xr_durations(scratch, count - t->warmup);
    }
    free(scratch);
    return ok;
}

/* ---- Nodes ------------------------------------------------------------------- */

static const exray_record *latency_record(const exray_log *log, size_t frame, exray_slot *slot)
{
    size_t count;
    const exray_record *record = exray_log_records_in(log, frame, slot, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_LATENCY)
            return &record[i];
    return NULL;
}

static uint32_t subgraph_of(const exray_model *model, uint32_t node)
{
    return model && node < model->node_count ? model->nodes[node].subgraph : 0;
}

/* The event that event i ran inside of: the nearest enclosing one of another subgraph, which
 * the tap writes after it (a node is written when it ends).  i itself: none. */
static size_t enclosing(const exray_model *model, const exray_latency *l, size_t i)
{
    enum { LOOK_AT = 256 };
    for (size_t k = i + 1; k < l->count && k < i + LOOK_AT; k++)
        if (subgraph_of(model, l->node[k]) != subgraph_of(model, l->node[i]) &&
            l->start_ns[k] <= l->start_ns[i] && l->duration_ns[k] >= l->duration_ns[i] &&
            l->start_ns[i] - l->start_ns[k] <= l->duration_ns[k] - l->duration_ns[i])
            return k;
    return i;
}

/* Adds a frame's durations to `row`, one cell a node; cells that stay NAN did not run. */
static void add_events(const exray_model *model, const exray_latency *l, double *row, size_t nodes)
{
    for (size_t n = 0; n < nodes; n++)
        row[n] = NAN;
    for (size_t i = 0; i < l->count; i++)
        if (l->node[i] < nodes)
            row[l->node[i]] = (isnan(row[l->node[i]]) ? 0 : row[l->node[i]]) + (double)l->duration_ns[i];
    bool one_graph = true;
    for (size_t i = 0; i < l->count && one_graph; i++)
        one_graph = subgraph_of(model, l->node[i]) == 0;
    for (size_t i = 0; i < l->count && !one_graph; i++) {
        size_t k = enclosing(model, l, i);
        if (k != i && l->node[k] < nodes && l->node[i] < nodes)
            row[l->node[k]] = fmax(0, row[l->node[k]] - (double)l->duration_ns[i]);
    }
}

static size_t nodes_of(const exray_log *log, const xr_latency *out)
{
    const exray_model *model = exray_log_model(log);
    if (model)
        return model->node_count < MOST_CELLS ? model->node_count : MOST_CELLS;
    return out->table.frames ? MOST_NODES : 0;
}

/* rows x nodes; *rows: how many frames were read. */
static bool read_rows(const exray_log *log, const xr_latency *out, double *cell, size_t nodes, size_t most,
                      size_t *rows)
{
    const exray_latency_table *t = &out->table;
    size_t usable = t->frames - t->warmup, step = (usable + most - 1) / most;
    exray_slot *slot = exray_slot_new();
    *rows = 0;
    for (size_t i = t->warmup; slot && i < t->frames && *rows < most; i += step ? step : 1) {
        const exray_record *record = latency_record(log, t->frame[i], slot);
        exray_latency latency;
        exray_error error;
        if (record && exray_log_read_latency(log, record, slot, &latency, &error) == EXRAY_OK)
            add_events(exray_log_model(log), &latency, cell + (*rows)++ * nodes, nodes);
    }
    exray_slot_free(slot);
    return slot != NULL;
}

static void summarize(const exray_log *log, xr_latency *out, const double *cell, size_t nodes, size_t rows,
                      double *scratch)
{
    const exray_model *model = exray_log_model(log);
    double total = 0;
    size_t found = 0;
    for (size_t n = 0; n < nodes; n++) {
        size_t count = 0;
        for (size_t r = 0; r < rows; r++)
            if (!isnan(cell[r * nodes + n]))
                scratch[count++] = cell[r * nodes + n];
        if (count == 0)
            continue;
        exray_node_latency *node = &out->node[found++];
        node->node = (uint32_t)n;
        node->time = xr_durations(scratch, count);
        node->macs = model ? xr_node_macs(model, (uint32_t)n) : 0;
        total += node->time.median;
    }
    for (size_t i = 0; i < found; i++)
        out->node[i].share = total > 0 ? out->node[i].time.median / total : 0;
    out->table.node = out->node;
    out->table.node_count = found;
    out->table.node_frames = rows;
}

static bool read_nodes(const exray_log *log, xr_latency *out)
{
    size_t nodes = nodes_of(log, out), usable = out->table.frames - out->table.warmup, rows = 0;
    if (nodes == 0 || usable == 0)
        return true;
    size_t most = MOST_CELLS / nodes < MOST_FRAMES ? MOST_CELLS / nodes : MOST_FRAMES;
    if (most > usable)
        most = usable;
    double *cell = malloc(most * nodes * sizeof *cell), *scratch = calloc(most + 1, sizeof *scratch);
    out->node = calloc(nodes, sizeof *out->node);
    bool ok = cell && scratch && out->node && read_rows(log, out, cell, nodes, most, &rows);
    if (ok)
        summarize(log, out, cell, nodes, rows, scratch);
    free(cell);
    free(scratch);
    return ok;
}

bool xr_latency_read(const exray_log *log, xr_latency *out)
{
    *out = (xr_latency){0};
    return read_frames(log, out) && read_nodes(log, out);
}

void xr_latency_free(xr_latency *latency)
{
    free(latency->inference);
    free(latency->frame);
    free(latency->node);
    *latency = (xr_latency){0};
}

const exray_node_latency *exray_latency_table_node(const exray_latency_table *table, uint32_t node)
{
    size_t low = 0, high = table->node_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->node[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->node_count && table->node[low].node == node ? &table->node[low] : NULL;
}
