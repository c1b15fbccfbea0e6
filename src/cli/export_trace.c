#include "cli.h"
#include "export.h"
#include "text_out.h"

#include <inttypes.h>
#include <math.h>

/* Tracks of the trace, as threads of one process. */
enum { TRACK_FRAMES = 1, TRACK_LAYERS = 2, TRACK_SPANS = 3 };

typedef struct trace {
    const exray_log *log;
    FILE *out;
    uint64_t zero_ns; /* the first frame's begin is 0 */
    bool any;
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

static void begin_slice(trace *t, int track, const char *name, uint64_t at_ns, uint64_t duration_ns)
{
    begin_event(t, "X", name);
    fprintf(t->out, ",\"tid\":%d", track);
    put_time(t, "ts", at_ns > t->zero_ns ? at_ns - t->zero_ns : 0);
    put_time(t, "dur", duration_ns);
}

static void name_track(trace *t, int track, const char *name)
{
    begin_event(t, "M", "thread_name");
    fprintf(t->out, ",\"tid\":%d,\"args\":{\"name\":", track);
    xr_put_json(t->out, name);
    fputs("}}", t->out);
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
    /* A span has a length and no begin: they are laid end to end. */
    const exray_named_span *spans = exray_log_frame_spans(t->log, f, &count);
    uint64_t at = frame->begin_ns;
    for (size_t i = 0; i < count; i++) {
        begin_slice(t, TRACK_SPANS, spans[i].name, at, spans[i].nanoseconds);
        fputs("}", t->out);
        at += spans[i].nanoseconds;
    }
}

static void put_layers(trace *t, const exray_frame *frame, const exray_latency *latency)
{
    const exray_model *model = exray_log_model(t->log);
    for (size_t i = 0; i < latency->count; i++) {
        uint32_t node = latency->node[i];
        const char *op = model && node < model->node_count ? model->nodes[node].op : "";
        begin_slice(t, TRACK_LAYERS, *op ? op : "layer", frame->begin_ns + latency->start_ns[i],
                    latency->duration_ns[i]);
        fprintf(t->out, ",\"args\":{\"layer\":%" PRIu32 ",\"name\":", node);
        xr_put_json(t->out, exray_node_name(model, node));
        fputs("}}", t->out);
    }
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
            put_layers(t, frame, &latency);
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
    name_track(&t, TRACK_FRAMES, "frames");
    name_track(&t, TRACK_LAYERS, "layers");
    name_track(&t, TRACK_SPANS, "spans (their lengths; begins are not recorded)");
    for (size_t f = 0; f < frames; f++) {
        const exray_frame *frame = exray_log_frame(log, f);
        const exray_record *records = exray_log_records(log, f);
        put_frame(&t, f);
        for (size_t i = 0; i < frame->record_count; i++)
            put_record(&t, frame, &records[i], slot, skipped);
    }
    fputs("\n]}\n", out);
    exray_slot_free(slot);
    return true;
}
