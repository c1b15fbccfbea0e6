#include "base/error.h"
#include "cli/export/export.h"
#include "cli/fail.h"
#include "cli/text_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* Tracks of the trace, as threads of one process. */
enum { TRACK_FRAMES = 1, TRACK_LAYERS = 2, TRACK_SPANS = 3, TRACKS = 3 };
static const char *const track_names[] = {[TRACK_FRAMES] = "frames",
                                          [TRACK_LAYERS] = "layers",
                                          [TRACK_SPANS] = "spans (their lengths; begins are not recorded)"};

/* Perfetto drops slices of a thread that overlap without nesting (frames of a camera that does not
 * wait, layers that run side by side): those go to another thread of the same name. */
enum { LANES = 32, NESTED = 16 };
typedef struct lane {
    uint64_t begin;       /* of its last slice */
    uint64_t end[NESTED]; /* of the slices that are open there, the innermost last */
    size_t open;
    bool used;
} lane;

typedef struct slice {
    uint64_t begin_ns, duration_ns;
    size_t entry; /* position in /latency */
} slice;

typedef struct trace {
    const exray_log *log;
    FILE *out;
    uint64_t zero_ns; /* the first frame's begin is 0 */
    bool any;
    lane lanes[TRACKS + 1][LANES];
    slice *slices; /* scratch for the layers of one frame */
    size_t capacity;
} trace;

/* Begins an event and writes its name; the caller closes the object. */
static void begin_event(trace *t, const char *phase, const char *name)
{
    fputs(t->any ? ",\n{\"name\":" : "{\"name\":", t->out);
    t->any = true;
    xr_put_json(t->out, name);
    fprintf(t->out, ",\"ph\":\"%s\",\"pid\":1", phase);
}

/* Nanoseconds as the format's microseconds, without loss. */
static void put_time(trace *t, const char *key, uint64_t ns)
{
    fprintf(t->out, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static void name_track(trace *t, int track, unsigned number)
{
    char name[80];
    snprintf(name, sizeof name, number ? "%s %u" : "%s", track_names[track], number + 1);
    begin_event(t, "M", "thread_name");
    fprintf(t->out, ",\"tid\":%u,\"args\":{\"name\":", (unsigned)track + TRACKS * number);
    xr_put_json(t->out, name);
    fputs("}}", t->out);
}

/* Closes the lane's open slices that have ended by `begin`, and returns how many stay open; NESTED: the slice
 * fits neither inside the open ones nor behind them. */
static size_t open_at(const lane *l, uint64_t begin, uint64_t end)
{
    size_t open = l->open;
    if (l->used && begin < l->begin)
        return NESTED;
    while (open && l->end[open - 1] <= begin)
        open--;
    return open == 0 || l->end[open - 1] >= end ? open : NESTED;
}

/* The thread for a slice; they come in order of their begins, longer ones first. */
static unsigned thread_for(trace *t, int track, uint64_t begin, uint64_t end)
{
    unsigned n = 0;
    while (n + 1 < LANES && open_at(&t->lanes[track][n], begin, end) == NESTED)
        n++;
    lane *l = &t->lanes[track][n];
    size_t open = open_at(l, begin, end);
    if (!l->used && n)
        name_track(t, track, n);
    l->used = true;
    l->begin = begin;
    l->open = open < NESTED ? open + 1 : NESTED;
    l->end[l->open - 1] = end;
    return (unsigned)track + TRACKS * n;
}

static void begin_slice(trace *t, int track, const char *name, uint64_t at_ns, uint64_t duration_ns)
{
    uint64_t begin = at_ns > t->zero_ns ? at_ns - t->zero_ns : 0;
    uint64_t end = duration_ns < UINT64_MAX - begin ? begin + duration_ns : UINT64_MAX;
    unsigned thread = thread_for(t, track, begin, end);
    begin_event(t, "X", name);
    fprintf(t->out, ",\"tid\":%u", thread);
    put_time(t, "ts", begin);
    put_time(t, "dur", duration_ns);
}

static void put_frame(trace *t, size_t f)
{
    const exray_frame *frame = exray_log_frame(t->log, f);
    char name[48];
    snprintf(name, sizeof name, "frame %" PRIu64, frame->index);
    begin_slice(t, TRACK_FRAMES, name, frame->begin_ns,
                frame->end_ns > frame->begin_ns ? frame->end_ns - frame->begin_ns : 0);
    fputs(",\"args\":{\"source\":", t->out);
    xr_put_json(t->out, frame->source);
    fprintf(t->out, ",\"complete\":%s", frame->complete ? "true" : "false");
    if (frame->has_label)
        fprintf(t->out, ",\"label\":%" PRId64, frame->label);
    if (frame->inference_ns)
        fprintf(t->out, ",\"inference_ms\":%.6f", (double)frame->inference_ns / 1e6);
    size_t count;
    const exray_named_value *values = exray_log_frame_values(t->log, f, &count);
    for (size_t i = 0; i < count; i++) {
        fputc(',', t->out);
        xr_put_json(t->out, values[i].name);
        if (isfinite(values[i].value))
            fprintf(t->out, ":%.17g", values[i].value);
        else
            fputs(":null", t->out);
    }
    fputs("}}", t->out);
    /* Spans have a length and no begin: they are drawn end to end. */
    const exray_named_span *spans = exray_log_frame_spans(t->log, f, &count);
    uint64_t at = frame->begin_ns;
    for (size_t i = 0; i < count; i++) {
        begin_slice(t, TRACK_SPANS, spans[i].name, at, spans[i].nanoseconds);
        fputs("}", t->out);
        at += spans[i].nanoseconds;
    }
}

static int compare_slices(const void *a, const void *b)
{
    const slice *x = a, *y = b;
    if (x->begin_ns != y->begin_ns)
        return x->begin_ns < y->begin_ns ? -1 : 1;
    if (x->duration_ns != y->duration_ns)
        return x->duration_ns > y->duration_ns ? -1 : 1;
    return (x->entry > y->entry) - (x->entry < y->entry);
}

/* The entries of a /latency record in order of their begins.  False: out of memory. */
static bool sort_layers(trace *t, const exray_frame *frame, const exray_latency *latency)
{
    if (latency->count > t->capacity) {
        slice *grown = realloc(t->slices, latency->count * sizeof *grown);
        if (!grown)
            return false;
        t->slices = grown;
        t->capacity = latency->count;
    }
    for (size_t i = 0; i < latency->count; i++)
        t->slices[i] = (slice){frame->begin_ns + latency->start_ns[i], latency->duration_ns[i], i};
    if (latency->count)
        qsort(t->slices, latency->count, sizeof *t->slices, compare_slices);
    return true;
}

static exray_status put_layers(trace *t, const exray_frame *frame, const exray_latency *latency,
                               exray_error *error)
{
    const exray_model *model = exray_log_model(t->log);
    if (!sort_layers(t, frame, latency)) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while sorting the layers of a frame");
        return EXRAY_E_MEMORY;
    }
    for (size_t i = 0; i < latency->count; i++) {
        uint32_t node = latency->node[t->slices[i].entry];
        const char *op = model && node < model->node_count ? model->nodes[node].op : "";
        begin_slice(t, TRACK_LAYERS, *op ? op : "layer", t->slices[i].begin_ns, t->slices[i].duration_ns);
        fprintf(t->out, ",\"args\":{\"layer\":%" PRIu32 ",\"name\":", node);
        xr_put_json(t->out, exray_node_name(model, node));
        fputs("}}", t->out);
    }
    return EXRAY_OK;
}

static void put_system(trace *t, uint64_t at_ns, const exray_system *system)
{
    if (!system->has_rss && !system->has_celsius)
        return;
    begin_event(t, "C", system->has_rss ? "memory" : "processor");
    put_time(t, "ts", at_ns > t->zero_ns ? at_ns - t->zero_ns : 0);
    if (system->has_rss)
        fprintf(t->out, ",\"args\":{\"resident MB\":%.3f}}", (double)system->rss_bytes / 1e6);
    else
        fprintf(t->out, ",\"args\":{\"celsius\":%.2f}}",
                isfinite(system->cpu_celsius) ? system->cpu_celsius : 0);
}

/* What happened, as marks over all tracks. */
static void put_events(trace *t)
{
    for (size_t i = 0; i < exray_log_event_count(t->log); i++) {
        const exray_event *event = exray_log_event(t->log, i);
        begin_event(t, "i", event->kind_name);
        put_time(t, "ts", event->log_time > t->zero_ns ? event->log_time - t->zero_ns : 0);
        fputs(",\"s\":\"p\",\"args\":{\"text\":", t->out);
        xr_put_json(t->out, event->text);
        if (event->has_frame)
            fprintf(t->out, ",\"frame\":%" PRIu64, event->frame);
        if (event->has_records_lost)
            fprintf(t->out, ",\"records_lost\":%" PRIu64, event->records_lost);
        fputs("}}", t->out);
    }
}

static void put_record(trace *t, const exray_frame *frame, const exray_record *record, exray_slot *slot,
                       uint64_t *skipped)
{
    exray_latency latency;
    exray_system system;
    exray_error error;
    exray_status status = EXRAY_OK;
    if (record->message == EXRAY_MESSAGE_LATENCY) {
        status = exray_log_read_latency(t->log, record, slot, &latency, &error);
        if (status == EXRAY_OK)
            status = put_layers(t, frame, &latency, &error);
    } else if (record->message == EXRAY_MESSAGE_SYSTEM) {
        status = exray_log_read_system(t->log, record, slot, &system, &error);
        if (status == EXRAY_OK)
            put_system(t, record->log_time, &system);
    }
    if (status != EXRAY_OK)
        xr_export_skip(&error, skipped);
}

bool xr_export_trace(const exray_log *log, FILE *out, uint64_t *skipped)
{
    trace t = {.log = log, .out = out};
    size_t frames = exray_log_frame_count(log);
    exray_slot *slot = exray_slot_new();
    if (!slot) {
        xr_fail("out of memory while exporting %s", exray_log_path(log));
        return false;
    }
    for (size_t f = 0; f < frames; f++) {
        uint64_t begin = exray_log_frame(log, f)->begin_ns;
        if (f == 0 || begin < t.zero_ns)
            t.zero_ns = begin;
    }
    fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n", out);
    begin_event(&t, "M", "process_name");
    fputs(",\"args\":{\"name\":", out);
    const char *role = exray_log_metadata(log, "role");
    xr_put_json(out, role ? role : "edge");
    fputs("}}", out);
    for (int track = 1; track <= TRACKS; track++)
        name_track(&t, track, 0);
    for (size_t f = 0; f < frames; f++) {
        const exray_frame *frame = exray_log_frame(log, f);
        size_t count;
        const exray_record *records = exray_log_records_in(log, f, slot, &count);
        put_frame(&t, f);
        for (size_t i = 0; i < count; i++)
            put_record(&t, frame, &records[i], slot, skipped);
    }
    put_events(&t);
    fputs("\n]}\n", out);
    free(t.slices);
    exray_slot_free(slot);
    return true;
}
