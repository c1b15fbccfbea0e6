/* exray info: what a log holds. */
#define _POSIX_C_SOURCE 200809L
#include "base/sort.h"
#include "checks/covered.h"
#include "checks/scrubbed.h"
#include "cli/command_line.h"
#include "cli/commands/info_inner.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/text_out.h"
#include "log/scan/scan.h"

#include <cjson/cJSON.h>
#include <exray/log.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Sums over a log. */
typedef struct counts {
    uint64_t records, with_data, with_sketch, bytes;
} counts;

typedef struct log_summary {
    const exray_log *log;
    uint64_t file_size;
    size_t frames, complete, labelled;
    counts kinds[EXRAY_KIND_COUNT];
    counts messages[EXRAY_MESSAGE_TRUTH + 1]; /* tensors are under `kinds` */
    size_t timed;                             /* frames with an inference time */
    double inference_ms[3];                   /* least, median, most */
    bool has_system;
    exray_system system; /* the highest values */
    uint64_t unreadable; /* records and attachments that --check could not read */
    uint64_t wrong;      /* checksums of what is in no chunk, likewise */
    bool checked;        /* --check, and there are such checksums */
    bool check;
} log_summary;

static bool sum_latency(log_summary *s)
{
    uint64_t *times = malloc((s->frames + 1) * sizeof *times);
    if (!times)
        return false;
    for (size_t f = 0; f < s->frames; f++) {
        const exray_frame *frame = exray_log_frame(s->log, f);
        if (frame->inference_ns)
            times[s->timed++] = frame->inference_ns;
    }
    qsort(times, s->timed, sizeof *times, xr_by_u64);
    if (s->timed) {
        size_t middle = s->timed / 2;
        double upper = (double)times[middle], lower = s->timed % 2 ? upper : (double)times[middle - 1];
        s->inference_ms[0] = (double)times[0] / 1e6;
        s->inference_ms[1] = (lower + upper) / 2e6;
        s->inference_ms[2] = (double)times[s->timed - 1] / 1e6;
    }
    free(times);
    return true;
}

static void keep_most(bool has, uint64_t value, bool *has_most, uint64_t *most)
{
    if (has && (!*has_most || value > *most))
        *most = value;
    *has_most = *has_most || has;
}

static void sum_system(log_summary *s, const exray_record *record, exray_slot *slot)
{
    exray_system now;
    if (exray_log_read_system(s->log, record, slot, &now, NULL) != EXRAY_OK)
        return;
    exray_system *most = &s->system;
    s->has_system = true;
    keep_most(now.has_rss, now.rss_bytes, &most->has_rss, &most->rss_bytes);
    keep_most(now.has_peak_rss, now.peak_rss_bytes, &most->has_peak_rss, &most->peak_rss_bytes);
    keep_most(now.has_arena, now.arena_bytes, &most->has_arena, &most->arena_bytes);
    keep_most(now.has_dropped, now.dropped_records, &most->has_dropped, &most->dropped_records);
    if (now.has_celsius && (!most->has_celsius || now.cpu_celsius > most->cpu_celsius))
        most->cpu_celsius = now.cpu_celsius;
    most->has_celsius = most->has_celsius || now.has_celsius;
    if (now.has_processors && now.processors > most->processors)
        most->processors = now.processors;
    most->has_processors = most->has_processors || now.has_processors;
}

/* Reads the record to see whether it can be read. */
static bool can_read(const exray_log *log, const exray_record *record, exray_slot *slot)
{
    exray_tensor_view tensor;
    exray_latency latency;
    exray_reading reading;
    exray_result result;
    switch (record->message) {
    case EXRAY_MESSAGE_TENSOR:
        return exray_log_read_tensor(log, record, slot, &tensor, NULL) == EXRAY_OK;
    case EXRAY_MESSAGE_LATENCY:
        return exray_log_read_latency(log, record, slot, &latency, NULL) == EXRAY_OK;
    case EXRAY_MESSAGE_READING:
        return exray_log_read_reading(log, record, slot, &reading, NULL) == EXRAY_OK;
    case EXRAY_MESSAGE_RESULT:
    case EXRAY_MESSAGE_TRUTH:
        return exray_log_read_result(log, record, slot, &result, NULL) == EXRAY_OK;
    default:
        return true;
    }
}

static void sum_records(log_summary *s, const exray_record *records, size_t count, exray_slot *slot,
                        bool check)
{
    for (size_t i = 0; i < count; i++) {
        const exray_record *r = &records[i];
        counts *c = r->message == EXRAY_MESSAGE_TENSOR ? &s->kinds[r->kind] : &s->messages[r->message];
        c->records++;
        c->with_data += r->has_data;
        c->with_sketch += r->has_sketch;
        c->bytes += r->size;
        if (r->message == EXRAY_MESSAGE_SYSTEM)
            sum_system(s, r, slot);
        if (check && !can_read(s->log, r, slot))
            s->unreadable++;
    }
}

static uint64_t unreadable_attachments(const exray_log *log, exray_slot *slot)
{
    uint64_t count = 0;
    const void *data;
    size_t size;
    for (size_t i = 0; i < exray_log_attachment_count(log); i++)
        count += exray_log_read_attachment(log, i, slot, &data, &size, NULL) != EXRAY_OK;
    return count;
}

static bool sum_up(log_summary *s, const exray_log *log, bool check)
{
    exray_slot *slot = exray_slot_new();
    struct stat file;
    if (!slot)
        return false;
    *s = (log_summary){.log = log, .frames = exray_log_frame_count(log)};
    if (stat(exray_log_path(log), &file) == 0)
        s->file_size = (uint64_t)file.st_size;
    size_t constants;
    const exray_record *records = exray_log_constants(log, &constants);
    sum_records(s, records, constants, slot, check);
    for (size_t f = 0; f < s->frames; f++) {
        const exray_frame *frame = exray_log_frame(log, f);
        s->complete += frame->complete;
        s->labelled += frame->has_label;
        size_t count;
        records = exray_log_records_in(log, f, slot, &count);
        sum_records(s, records, count, slot, check);
    }
    s->check = check;
    if (check) {
        s->unreadable += unreadable_attachments(log, slot);
        s->wrong = xr_log_verify(log, &s->checked);
    }
    exray_slot_free(slot);
    return sum_latency(s);
}

static const char *role_of(const exray_log *log)
{
    const char *role = exray_log_metadata(log, "role");
    return role ? role : "edge";
}

static const char *const message_names[] = {
    [EXRAY_MESSAGE_FRAME] = "frame",   [EXRAY_MESSAGE_LATENCY] = "latency",
    [EXRAY_MESSAGE_SYSTEM] = "system", [EXRAY_MESSAGE_READING] = "reading",
    [EXRAY_MESSAGE_RESULT] = "result", [EXRAY_MESSAGE_TENSOR] = NULL,
    [EXRAY_MESSAGE_TRUTH] = "truth",   [EXRAY_MESSAGE_OTHER] = NULL,
};

/* ---- For people --------------------------------------------------------------- */

enum { LABEL_WIDTH = 11 };

static void put_label(const char *label)
{
    printf("%-*s", LABEL_WIDTH, label);
}

static void put_line(const char *label, const char *text)
{
    if (!text || !*text)
        return;
    put_label(label);
    xr_put_plain(stdout, text);
    putchar('\n');
}

static void put_shape(const exray_tensor_info *info)
{
    xr_put_plain(stdout, info->name && *info->name ? info->name : "(no name)");
    printf(" %s [", exray_dtype_name(info->dtype));
    for (uint32_t i = 0; i < info->rank; i++)
        printf("%s%" PRId64, i ? ", " : "", info->shape[i]);
    putchar(']');
}

static void put_ends(const char *label, const exray_model *model, const uint32_t *ends, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        put_label(i ? "" : label);
        put_shape(&model->tensors[ends[i]]);
        putchar('\n');
    }
}

static void put_model(const exray_model *model)
{
    if (!model) {
        put_line("model", "not described in this log");
        return;
    }
    put_label("model");
    xr_put_plain(stdout, *model->name ? model->name : "(no name)");
    printf(", %u layers", model->node_count);
    if (model->sha256) {
        fputs(", sha256 ", stdout);
        for (int i = 0; i < 6; i++)
            printf("%02x", model->sha256[i]);
        fputs("...", stdout);
    }
    putchar('\n');
    put_label("engine");
    xr_put_plain(stdout, model->engine);
    putchar(' ');
    xr_put_plain(stdout, model->engine_version);
    if (*model->kernels) {
        fputs(", ", stdout);
        xr_put_plain(stdout, model->kernels);
        fputs(" kernels", stdout);
    }
    if (model->threads)
        printf(", %u thread%s", model->threads, model->threads == 1 ? "" : "s");
    putchar('\n');
    xr_put_inner(model, LABEL_WIDTH);
    put_ends("inputs", model, model->inputs, model->input_count);
    put_ends("outputs", model, model->outputs, model->output_count);
}

static void put_counts(const char *first, const char *name, const counts *c)
{
    char bytes[32];
    if (c->records == 0)
        return;
    printf("%-*s%-10s %9" PRIu64 "  %10s", LABEL_WIDTH, first, name, c->records,
           xr_format_bytes(bytes, c->bytes));
    if (c->with_data)
        printf("  %s", c->with_data == c->records ? "with data" : "some with data");
    if (c->with_sketch)
        printf("  %s", c->with_sketch == c->records ? "with sketch" : "some with sketch");
    putchar('\n');
}

static void put_records(const log_summary *s)
{
    const char *label = "records";
    for (int kind = 0; kind < EXRAY_KIND_COUNT; kind++) {
        put_counts(label, exray_kind_name((exray_kind)kind), &s->kinds[kind]);
        label = s->kinds[kind].records ? "" : label;
    }
    for (int message = 0; message <= EXRAY_MESSAGE_TRUTH; message++)
        if (message_names[message]) {
            put_counts(label, message_names[message], &s->messages[message]);
            label = s->messages[message].records ? "" : label;
        }
}

/* ": 0-46 and 399 of 400": which frames the log has, where some are missing. */
static void put_covered(const exray_log *log)
{
    enum { SHOWN = 8 };
    char words[512];
    xr_frame_range first;
    const uint64_t ran = xr_frames_ran(log);
    const size_t ranges = xr_frame_ranges(log, &first, 1);
    if (!ranges || (ranges == 1 && first.first == 0 && first.last + 1 == ran))
        return;
    xr_frame_words(log, SHOWN, words, sizeof words);
    printf(": %s of %" PRIu64, words, ran);
}

/* The last ones of a long list are counted. */
static void put_events(const exray_log *log)
{
    enum { SHOWN = 20 };
    const size_t count = exray_log_event_count(log);
    const exray_frame *first = exray_log_frame_count(log) ? exray_log_frame(log, 0) : NULL;
    for (size_t i = 0; i < count && i < SHOWN; i++) {
        const exray_event *event = exray_log_event(log, i);
        put_label(i ? "" : "events");
        if (event->has_frame)
            printf("frame %" PRIu64 ", ", event->frame);
        else if (first && event->log_time >= first->begin_ns)
            printf("at %.3f s, ", (double)(event->log_time - first->begin_ns) / 1e9);
        xr_put_plain(stdout, event->kind_name);
        if (*event->text) {
            fputs(": ", stdout);
            xr_put_plain(stdout, event->text);
        }
        if (event->records_lost)
            printf(" (%" PRIu64 " record%s lost)", event->records_lost, event->records_lost == 1 ? "" : "s");
        putchar('\n');
    }
    if (count > SHOWN)
        printf("%-*sand %zu more; --json has all\n", LABEL_WIDTH, "", count - SHOWN);
}

static void put_unchecked(const log_summary *s)
{
    uint64_t records = exray_log_unchecked(s->log);
    if (records)
        printf("%*sunchecked: %" PRIu64 " records have no checksum: flipped bits in them go unnoticed\n",
               LABEL_WIDTH, "", records);
    else if (s->check && !s->checked)
        printf("%*sunchecked: the metadata have no checksum\n", LABEL_WIDTH, "");
}

static void put_state(const log_summary *s)
{
    uint64_t damaged = exray_log_damaged(s->log);
    const char *truncated = exray_log_truncated(s->log);
    if (s->has_system && s->system.has_dropped && s->system.dropped_records)
        printf("%-*s%" PRIu64 " records found no room and were left out\n", LABEL_WIDTH, "dropped",
               s->system.dropped_records);
    if (exray_log_unknown(s->log)) {
        put_label("unknown");
        xr_put_plain(stdout, exray_log_unknown(s->log));
        puts(": of a later version or another program, and skipped");
    }
    put_label("state");
    uint64_t parts = damaged > s->unreadable ? damaged : s->unreadable, lost = exray_log_lost(s->log);
    if (!parts && !truncated && !s->wrong)
        puts("whole");
    if (truncated)
        printf("%s; `exray recover` mends it\n", truncated);
    int indent = truncated ? LABEL_WIDTH : 0;
    if (parts || lost) {
        printf("%*s%" PRIu64 " damaged place%s passed over", indent, "", parts, parts == 1 ? " is" : "s are");
        if (lost)
            printf("; %" PRIu64 " bytes are lost", lost);
        putchar('\n');
    } else if (s->wrong) {
        printf("%*s%" PRIu64 " checksum%s wrong, of bytes that hold no values\n", indent, "", s->wrong,
               s->wrong == 1 ? " is" : "s are");
    }
    put_unchecked(s);
}

/* What `exray scrub` took out. */
static void put_scrubbed(const exray_log *log)
{
    xr_scrubbed_walk walk = {0};
    const char *what, *patterns;
    bool any = false;
    while (xr_scrubbed_next(log, &walk, &what, &patterns)) {
        if (!any)
            put_label("scrubbed");
        printf("%s%s ", any ? "; " : "", what);
        xr_put_plain(stdout, patterns);
        any = true;
    }
    if (any)
        putchar('\n');
}

static void print_summary(const log_summary *s)
{
    char bytes[32];
    put_label("log");
    xr_put_plain(stdout, exray_log_path(s->log));
    printf(", %s\n", xr_format_bytes(bytes, s->file_size));
    put_line("role", role_of(s->log));
    put_line("task", exray_log_metadata(s->log, "task"));
    put_line("replay of", exray_log_metadata(s->log, "replay_of"));
    put_model(exray_log_model(s->log));
    put_line("device", exray_log_metadata(s->log, "device"));
    put_line("capture", exray_log_metadata(s->log, "capture"));
    put_line("waiting", exray_log_metadata(s->log, "flight"));
    put_line("created", exray_log_metadata(s->log, "created"));
    put_scrubbed(s->log);
    printf("%-*s%zu", LABEL_WIDTH, "frames", s->frames);
    put_covered(s->log);
    if (s->labelled)
        printf(", %zu labelled", s->labelled);
    if (s->complete != s->frames)
        printf(", %zu without an end", s->frames - s->complete);
    putchar('\n');
    if (s->timed)
        printf("%-*s%.2f ms an inference (median; %.2f to %.2f)\n", LABEL_WIDTH, "latency",
               s->inference_ms[1], s->inference_ms[0], s->inference_ms[2]);
    if (s->system.has_peak_rss)
        printf("%-*s%s resident at most\n", LABEL_WIDTH, "memory",
               xr_format_bytes(bytes, s->system.peak_rss_bytes));
    put_records(s);
    for (size_t i = 0; i < exray_log_attachment_count(s->log); i++) {
        const exray_attachment *a = exray_log_attachment(s->log, i);
        put_label(i ? "" : "attached");
        xr_put_plain(stdout, a->name);
        printf(", %s\n", xr_format_bytes(bytes, a->size));
    }
    put_events(s->log);
    put_state(s);
}

/* ---- For programs ------------------------------------------------------------- */

static void add_text(cJSON *object, const char *key, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, key, text);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_counts(cJSON *object, const char *name, const counts *c)
{
    cJSON *entry = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(entry, "records", (double)c->records);
    cJSON_AddNumberToObject(entry, "with_data", (double)c->with_data);
    cJSON_AddNumberToObject(entry, "with_sketch", (double)c->with_sketch);
    cJSON_AddNumberToObject(entry, "bytes", (double)c->bytes);
}

static void add_ends(cJSON *object, const char *key, const exray_model *model, const uint32_t *ends,
                     uint32_t count)
{
    cJSON *list = cJSON_AddArrayToObject(object, key);
    for (uint32_t i = 0; i < count; i++) {
        const exray_tensor_info *info = &model->tensors[ends[i]];
        cJSON *entry = cJSON_CreateObject();
        add_text(entry, "name", info->name);
        add_text(entry, "dtype", exray_dtype_name(info->dtype));
        cJSON *shape = cJSON_AddArrayToObject(entry, "shape");
        for (uint32_t d = 0; d < info->rank; d++)
            cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)info->shape[d]));
        cJSON_AddItemToArray(list, entry);
    }
}

static void add_model(cJSON *root, const exray_model *model)
{
    if (!model) {
        cJSON_AddNullToObject(root, "model");
        return;
    }
    cJSON *object = cJSON_AddObjectToObject(root, "model");
    char sha256[65] = "";
    for (int i = 0; model->sha256 && i < 32; i++)
        snprintf(sha256 + 2 * i, 3, "%02x", model->sha256[i]);
    add_text(object, "name", model->name);
    add_text(object, "sha256", model->sha256 ? sha256 : NULL);
    add_text(object, "engine", model->engine);
    add_text(object, "engine_version", model->engine_version);
    add_text(object, "kernels", model->kernels);
    cJSON_AddNumberToObject(object, "threads", model->threads);
    cJSON_AddNumberToObject(object, "layers", model->node_count);
    cJSON_AddNumberToObject(object, "tensors", model->tensor_count);
    cJSON_AddItemToObject(object, "inner", xr_describe_inner(model));
    add_ends(object, "inputs", model, model->inputs, model->input_count);
    add_ends(object, "outputs", model, model->outputs, model->output_count);
}

static void add_metadata(cJSON *root, const exray_log *log)
{
    cJSON *object = cJSON_AddObjectToObject(root, "metadata");
    const char *name;
    const exray_key_value *pairs;
    for (size_t i = 0;; i++) {
        size_t count = exray_log_metadata_at(log, i, &name, &pairs);
        if (!name)
            return;
        cJSON *entry = cJSON_GetObjectItemCaseSensitive(object, name);
        if (!entry)
            entry = cJSON_AddObjectToObject(object, name);
        for (size_t k = 0; k < count; k++)
            if (!cJSON_GetObjectItemCaseSensitive(entry, pairs[k].key))
                cJSON_AddStringToObject(entry, pairs[k].key, pairs[k].value);
    }
}

static void add_system(cJSON *root, const log_summary *s)
{
    const exray_system *system = &s->system;
    cJSON *object = cJSON_AddObjectToObject(root, "system");
    if (system->has_rss)
        cJSON_AddNumberToObject(object, "rss_bytes", (double)system->rss_bytes);
    if (system->has_peak_rss)
        cJSON_AddNumberToObject(object, "peak_rss_bytes", (double)system->peak_rss_bytes);
    if (system->has_arena)
        cJSON_AddNumberToObject(object, "arena_bytes", (double)system->arena_bytes);
    if (system->has_celsius)
        cJSON_AddNumberToObject(object, "cpu_celsius", system->cpu_celsius);
    if (system->has_processors)
        cJSON_AddNumberToObject(object, "processors", system->processors);
    cJSON_AddNumberToObject(object, "dropped_records", (double)system->dropped_records);
}

/* Which frames: [[first, last], ...], and how many ran. */
static void add_ranges(cJSON *frames, const exray_log *log)
{
    const size_t count = xr_frame_ranges(log, NULL, 0);
    xr_frame_range *range = malloc((count + 1) * sizeof *range);
    cJSON *list = range ? cJSON_AddArrayToObject(frames, "ranges") : cJSON_AddNullToObject(frames, "ranges");
    if (range)
        xr_frame_ranges(log, range, count);
    for (size_t i = 0; range && i < count; i++) {
        const double ends[2] = {(double)range[i].first, (double)range[i].last};
        cJSON_AddItemToArray(list, cJSON_CreateDoubleArray(ends, 2));
    }
    cJSON_AddNumberToObject(frames, "ran", (double)xr_frames_ran(log));
    free(range);
}

static void add_events(cJSON *root, const exray_log *log)
{
    cJSON *list = cJSON_AddArrayToObject(root, "events");
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        cJSON *entry = cJSON_CreateObject();
        add_text(entry, "kind", event->kind_name);
        add_text(entry, "text", event->text);
        cJSON_AddNumberToObject(entry, "time_ns", (double)event->log_time);
        if (event->has_frame)
            cJSON_AddNumberToObject(entry, "frame", (double)event->frame);
        if (event->has_records_lost)
            cJSON_AddNumberToObject(entry, "records_lost", (double)event->records_lost);
        cJSON_AddItemToArray(list, entry);
    }
}

static cJSON *describe(const log_summary *s)
{
    const exray_log *log = s->log;
    cJSON *root = cJSON_CreateObject();
    add_text(root, "format", "exray-info");
    cJSON_AddNumberToObject(root, "version", 1);
    add_text(root, "file", exray_log_path(log));
    cJSON_AddNumberToObject(root, "size_bytes", (double)s->file_size);
    add_text(root, "role", role_of(log));
    add_text(root, "truncated", exray_log_truncated(log));
    cJSON_AddNumberToObject(root, "damaged", (double)exray_log_damaged(log));
    cJSON_AddNumberToObject(root, "unreadable", (double)s->unreadable);
    cJSON_AddNumberToObject(root, "lost_bytes", (double)exray_log_lost(log));
    cJSON_AddNumberToObject(root, "wrong_checksums", (double)s->wrong);
    add_text(root, "unknown", exray_log_unknown(log));
    cJSON_AddNumberToObject(root, "unchecked", (double)exray_log_unchecked(log));
    add_metadata(root, log);
    add_model(root, exray_log_model(log));
    cJSON *frames = cJSON_AddObjectToObject(root, "frames");
    cJSON_AddNumberToObject(frames, "count", (double)s->frames);
    cJSON_AddNumberToObject(frames, "complete", (double)s->complete);
    cJSON_AddNumberToObject(frames, "labelled", (double)s->labelled);
    add_ranges(frames, log);
    cJSON *latency =
        s->timed ? cJSON_AddObjectToObject(root, "latency") : cJSON_AddNullToObject(root, "latency");
    if (s->timed) {
        cJSON_AddNumberToObject(latency, "inference_ms_min", s->inference_ms[0]);
        cJSON_AddNumberToObject(latency, "inference_ms_median", s->inference_ms[1]);
        cJSON_AddNumberToObject(latency, "inference_ms_max", s->inference_ms[2]);
    }
    add_system(root, s);
    cJSON *records = cJSON_AddObjectToObject(root, "records");
    for (int kind = 0; kind < EXRAY_KIND_COUNT; kind++)
        add_counts(records, exray_kind_name((exray_kind)kind), &s->kinds[kind]);
    for (int message = 0; message <= EXRAY_MESSAGE_TRUTH; message++)
        if (message_names[message])
            add_counts(records, message_names[message], &s->messages[message]);
    add_events(root, log);
    cJSON *attachments = cJSON_AddArrayToObject(root, "attachments");
    for (size_t i = 0; i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        cJSON *entry = cJSON_CreateObject();
        add_text(entry, "name", a->name);
        add_text(entry, "media_type", a->media_type);
        cJSON_AddNumberToObject(entry, "size", (double)a->size);
        cJSON_AddItemToArray(attachments, entry);
    }
    return root;
}

/* ---- The command --------------------------------------------------------------- */

typedef struct info_options {
    const char *json;
    bool check;
} info_options;

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "json",
         .value = "F",
         XR_INTO(text, info_options, json),
         .text = "write the same as JSON to F; - is standard output"},
        {.name = "check",
         XR_INTO(flag, info_options, check),
         .text =
             "read every record and check every checksum; without it, the data of tensors is not read; exit "
             "status 1 where the log is damaged or has no regular end"},
        {0},
    }};

static int run(const xr_call *call)
{
    info_options o = {0};
    const char *path;
    int status = xr_parse_one_operand(call, &o, "log", &path);
    if (status != XR_EXIT_OK)
        return status;
    exray_error error;
    exray_log *log = exray_log_open(path, &error);
    if (!log) {
        status = xr_fail_error(&error);
        return o.check && error.status == EXRAY_E_FORMAT && xr_scan_is_log(path) ? XR_EXIT_FOUND : status;
    }
    log_summary s;
    if (!sum_up(&s, log, o.check)) {
        status = xr_fail("out of memory while reading %s", path);
    } else {
        /* Nothing else is printed beside JSON on standard output. */
        if (!o.json || strcmp(o.json, "-") != 0)
            print_summary(&s);
        if (o.json && xr_print_json(describe(&s), o.json) != XR_EXIT_OK)
            status = XR_EXIT_FAILED;
        else if (o.check && (s.unreadable || s.wrong || exray_log_damaged(log) || exray_log_truncated(log)))
            status = XR_EXIT_FOUND;
    }
    exray_log_close(log);
    if (!o.json && status != XR_EXIT_FAILED && !xr_close_output(stdout, "standard output"))
        status = XR_EXIT_FAILED;
    return status;
}

const xr_command xr_command_info = {
    .name = "info",
    .summary = "show what a log contains",
    .synopsis = "LOG.mcap [--json F] [--check]",
    .description =
        "Shows what LOG.mcap contains: role, model, engine, the nodes that a delegate runs, device, frames, "
        "latency, records, attachments, events, what this version does not know and skips, whether the log "
        "is "
        "complete, and how many records have no checksum.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray info edge.mcap --json - | jq .frames.count",
    .run = run,
};
