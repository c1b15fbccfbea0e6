#include "base/buffer.h"
#include "base/sort.h"
#include "cli/export/export.h"
#include "cli/fail.h"
#include "cli/text_out.h"

#include <exray/exray.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Statistics of one tensor, over the frames read so far. */
typedef struct row {
    exray_kind kind;
    uint32_t index, output;
    const char *name; /* of inputs and outputs: in the topic */
    exray_dtype dtype;
    char shape[128];
    uint64_t frames;
    exray_stats stats; /* variance holds the sum of squared deviations */
    uint64_t finite;
} row;

/* A node's times, frame by frame. */
typedef struct node_times {
    uint64_t *ns;
    size_t count, capacity;
    bool open; /* the last entry is of the frame being read */
} node_times;

typedef struct csv_rows {
    const exray_log *log;
    row *rows;
    size_t count, capacity;
    size_t next; /* where the next record's row probably is: frames repeat */
    node_times *times;
    size_t node_count;
    bool failed; /* out of memory */
} csv_rows;

static bool is_row_of(const row *r, const exray_record *record)
{
    return r->kind == record->kind && r->index == record->index && r->output == record->output &&
           strcmp(r->name, record->name) == 0;
}

static row *row_of(csv_rows *t, const exray_record *record)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t at = (t->next + i) % t->count;
        if (is_row_of(&t->rows[at], record)) {
            t->next = at + 1;
            return &t->rows[at];
        }
    }
    row *rows = xr_array_grow(t->rows, t->count, &t->capacity, sizeof *rows);
    if (!rows) {
        t->failed = true;
        return NULL;
    }
    t->rows = rows;
    row *r = &t->rows[t->count++];
    *r = (row){.kind = record->kind, .index = record->index, .output = record->output, .name = record->name};
    t->next = t->count;
    return r;
}

static void keep_shape(row *r, const exray_tensor_info *info)
{
    size_t used = 0;
    r->dtype = info->dtype;
    r->shape[0] = 0;
    for (uint32_t i = 0; i < info->rank && used < sizeof r->shape - 24; i++)
        used += (size_t)snprintf(r->shape + used, sizeof r->shape - used, "%s%" PRId64, i ? "x" : "",
                                 info->shape[i]);
}

/* Pools the moments of two sets of numbers. */
static void add_stats(row *r, const exray_stats *s)
{
    uint64_t unfinite = s->nan_count + s->inf_count;
    uint64_t finite = s->count > unfinite ? s->count - unfinite : 0;
    exray_stats *all = &r->stats;
    all->count += s->count;
    all->nan_count += s->nan_count;
    all->inf_count += s->inf_count;
    all->zero_count += s->zero_count;
    if (finite == 0)
        return;
    double n = (double)r->finite, m = (double)finite, delta = s->mean - all->mean;
    if (r->finite == 0 || s->min < all->min)
        all->min = s->min;
    if (r->finite == 0 || s->max > all->max)
        all->max = s->max;
    all->mean += delta * m / (n + m);
    all->variance += s->variance * m + delta * delta * n * m / (n + m);
    r->finite += finite;
}

/* The bytes of an encoded file are no values. */
static bool is_encoded(const char *format)
{
    return strcmp(format, "jpeg") == 0 || strcmp(format, "png") == 0 || strcmp(format, "wav") == 0;
}

static void add_tensor(csv_rows *t, const exray_record *record, exray_slot *slot, uint64_t *skipped)
{
    exray_tensor_view view;
    exray_error error;
    if (exray_log_read_tensor(t->log, record, slot, &view, &error) != EXRAY_OK) {
        xr_export_skip(&error, skipped);
        return;
    }
    row *r = row_of(t, record);
    if (!r)
        return;
    if (r->frames++ == 0)
        keep_shape(r, &view.info);
    if (view.has_media && is_encoded(view.media.format))
        return;
    if (view.has_stats)
        add_stats(r, &view.stats);
    else if (view.data && exray_stats_compute(&view.info, view.data, view.size, &view.stats) == EXRAY_OK)
        add_stats(r, &view.stats);
}

/* A node that runs several times in a frame counts with the sum. */
static void add_time(csv_rows *t, uint32_t node, uint64_t ns)
{
    if (node >= t->node_count)
        return;
    node_times *times = &t->times[node];
    if (times->open) {
        times->ns[times->count - 1] += ns;
        return;
    }
    uint64_t *grown = xr_array_grow(times->ns, times->count, &times->capacity, sizeof *grown);
    if (!grown) {
        t->failed = true;
        return;
    }
    times->ns = grown;
    times->ns[times->count++] = ns;
    times->open = true;
}

static void add_latency(csv_rows *t, const exray_record *record, exray_slot *slot, uint64_t *skipped)
{
    exray_latency latency;
    exray_error error;
    if (exray_log_read_latency(t->log, record, slot, &latency, &error) != EXRAY_OK) {
        xr_export_skip(&error, skipped);
        return;
    }
    for (size_t i = 0; i < latency.count; i++)
        add_time(t, latency.node[i], latency.duration_ns[i]);
    for (size_t i = 0; i < latency.count; i++)
        if (latency.node[i] < t->node_count)
            t->times[latency.node[i]].open = false;
}

static void put_number(FILE *out, bool known, double value)
{
    if (known && isfinite(value))
        fprintf(out, ",%.9g", value);
    else
        fputc(',', out);
}

static void put_times(FILE *out, node_times *times)
{
    if (!times || times->count == 0) {
        fputs(",,,", out);
        return;
    }
    qsort(times->ns, times->count, sizeof *times->ns, xr_by_u64);
    size_t middle = times->count / 2;
    double median = (double)times->ns[middle];
    if (times->count % 2 == 0)
        median = (median + (double)times->ns[middle - 1]) / 2;
    put_number(out, true, (double)times->ns[0] / 1e6);
    put_number(out, true, median / 1e6);
    put_number(out, true, (double)times->ns[times->count - 1] / 1e6);
}

static void put_row(csv_rows *t, const row *r, FILE *out)
{
    const exray_model *model = exray_log_model(t->log);
    bool layer = r->kind == EXRAY_KIND_LAYER && model && r->index < model->node_count;
    const char *name = r->name, *op = layer ? model->nodes[r->index].op : "";
    if (layer)
        name = exray_node_name(model, r->index);
    else if (r->kind == EXRAY_KIND_CONSTANT && model && r->index < model->tensor_count)
        name = model->tensors[r->index].name;
    fprintf(out, "%s,", exray_kind_name(r->kind));
    if (r->index != EXRAY_NO_INDEX)
        fprintf(out, "%" PRIu32, r->index);
    fprintf(out, ",%" PRIu32 ",", r->output);
    xr_put_csv(out, name);
    fputc(',', out);
    xr_put_csv(out, op);
    fprintf(out, ",%s,%s,%" PRIu64 ",%" PRIu64, exray_dtype_name(r->dtype), r->shape, r->frames,
            r->stats.count);
    put_number(out, r->finite, r->stats.min);
    put_number(out, r->finite, r->stats.max);
    put_number(out, r->finite, r->stats.mean);
    put_number(out, r->finite, r->finite ? sqrt(r->stats.variance / (double)r->finite) : 0);
    fprintf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, r->stats.nan_count, r->stats.inf_count,
            r->stats.zero_count);
    put_times(out, layer && r->output == 0 ? &t->times[r->index] : NULL);
    fputc('\n', out);
}

static void read_records(csv_rows *t, const exray_record *records, size_t count, exray_slot *slot,
                         uint64_t *skipped)
{
    for (size_t i = 0; i < count && !t->failed; i++) {
        if (records[i].message == EXRAY_MESSAGE_TENSOR)
            add_tensor(t, &records[i], slot, skipped);
        else if (records[i].message == EXRAY_MESSAGE_LATENCY)
            add_latency(t, &records[i], slot, skipped);
    }
}

bool xr_export_csv(const exray_log *log, FILE *out, uint64_t *skipped)
{
    const exray_model *model = exray_log_model(log);
    csv_rows t = {.log = log, .node_count = model ? model->node_count : 0};
    exray_slot *slot = exray_slot_new();
    t.times = calloc(t.node_count + 1, sizeof *t.times);
    t.failed = !slot || !t.times;
    size_t count;
    const exray_record *constants = exray_log_constants(log, &count);
    for (size_t f = 0; f < exray_log_frame_count(log) && !t.failed; f++) {
        size_t records;
        const exray_record *record = exray_log_records_in(log, f, slot, &records);
        read_records(&t, record, records, slot, skipped);
    }
    if (!t.failed)
        read_records(&t, constants, count, slot, skipped);
    if (t.failed) {
        xr_fail("out of memory while exporting %s", exray_log_path(log));
    } else {
        fputs("kind,index,output,name,op,dtype,shape,frames,count,min,max,mean,std,nan,inf,zero,"
              "latency_ms_min,latency_ms_median,latency_ms_max\n",
              out);
        for (size_t i = 0; i < t.count; i++)
            put_row(&t, &t.rows[i], out);
    }
    for (size_t i = 0; t.times && i < t.node_count; i++)
        free(t.times[i].ns);
    free(t.times);
    free(t.rows);
    exray_slot_free(slot);
    return !t.failed;
}
