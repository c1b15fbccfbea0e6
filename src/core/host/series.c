#include "core/host/series.h"

#include "core/emit.h"
#include "core/encode/text.h"
#include "core/events/events.h"
#include "core/host/series_head.h"
#include "core/limits/budget.h"
#include "core/recorder_error.h"

enum {
    MOST_FILES = 10000,
    USUAL_FILES = 8,        /* of a budget that says nothing of them */
    LEAST_BYTES = 64 << 10, /* of a file: what every log begins and ends with, and some frames */
};

/* A file of the series, this run's or an earlier one's. */
typedef struct series_file {
    uint64_t number, size;
    char time[XR_LOG_TIME];
} series_file;

typedef struct next_call {
    xr_log_file *file;
} next_call;

/* The writer's, but for what is set at open. */
typedef struct xr_file_series {
    xr_series_head head;
    next_call next;      /* what the writer is called with */
    uint64_t number;     /* of the file that is written, in its name */
    uint32_t of_run;     /* and in this run, from 1 */
    uint64_t total;      /* bytes of all files; 0: no limit */
    uint64_t file_bytes; /* of each, at most; 0: no limit */
    uint32_t kept;       /* how many closed files stay when a new one begins; UINT32_MAX: all */
    uint32_t count, capacity;
    series_file *files; /* the closed ones, oldest first */
} xr_file_series;

bool xr_series_wanted(const exray_recorder_config *config)
{
    return config->max_files > 1 || config->file_bytes || config->file_seconds;
}

/* How many files there may be; 0: no limit. */
static uint32_t files_of(const exray_recorder_config *config)
{
    if (config->max_files || !config->byte_budget)
        return config->max_files;
    if (!config->file_bytes)
        return USUAL_FILES;
    const uint64_t files = config->byte_budget / config->file_bytes;
    return files > MOST_FILES ? MOST_FILES : (uint32_t)files;
}

static uint64_t total_of(const exray_recorder_config *config)
{
    return config->byte_budget ? config->byte_budget : config->max_files * config->file_bytes;
}

const char *xr_series_problem(const exray_recorder_config *config)
{
    const uint32_t files = files_of(config);
    const uint64_t total = total_of(config);
    if (config->max_files == 1)
        return "config.max_files is 1, but file_bytes and file_seconds are for several; set byte_budget";
    if (config->max_files > MOST_FILES)
        return "config.max_files is over 10000";
    if (!config->file_bytes && !config->file_seconds && !config->byte_budget)
        return "config.max_files needs file_bytes, file_seconds or byte_budget: what a file's end is";
    if (config->byte_budget && files < 2)
        return "config.file_bytes is over half of config.byte_budget: there would be one file";
    if ((total && total / files < LEAST_BYTES) || (config->file_bytes && config->file_bytes < LEAST_BYTES))
        return "config.byte_budget and max_files, or file_bytes, leave a file less than 64 KiB";
    return NULL;
}

/* ---- The files on the disk ---- */

static void remove_oldest(xr_log_file *file)
{
    xr_file_series *s = file->series;
    char path[XR_LOG_PATH];
    if (xr_log_expand(file->pattern, s->files[0].time, s->files[0].number, path))
        xr_port_remove(path);
    s->count--;
    memmove(s->files, s->files + 1, s->count * sizeof *s->files);
}

/* The most that the next file becomes. */
static uint64_t next_bytes(const xr_file_series *s)
{
    const uint64_t left = s->total > s->head.size ? s->total - s->head.size : 0;
    const uint64_t share = s->total ? left / (s->kept + 1) : 0;
    return share && (!s->file_bytes || share < s->file_bytes) ? share : s->file_bytes;
}

static bool is_full(const xr_file_series *s)
{
    uint64_t bytes = s->head.size + next_bytes(s);
    for (uint32_t i = 0; i < s->count; i++)
        bytes += s->files[i].size;
    return s->count > s->kept || (s->total && bytes > s->total);
}

/* Before a file begins: the oldest ones go, until it has room. */
static void make_room(xr_log_file *file)
{
    while (file->series->count && is_full(file->series))
        remove_oldest(file);
}

/* Takes a file in, by its number. */
static void add_file(xr_log_file *file, const series_file *added)
{
    xr_file_series *s = file->series;
    if (s->count == s->capacity)
        remove_oldest(file);
    uint32_t at = s->count++;
    for (; at && s->files[at - 1].number > added->number; at--)
        s->files[at] = s->files[at - 1];
    s->files[at] = *added;
}

static void see_file(void *user, const char *name, uint64_t size)
{
    xr_log_file *file = user;
    xr_file_series *s = file->series;
    series_file found = {.size = size};
    char again[XR_LOG_PATH];
    if (!xr_log_matches(file->pattern + xr_log_folder(file->pattern), name, found.time, &found.number) ||
        !xr_log_expand(file->pattern, found.time, found.number, again) ||
        strcmp(again + xr_log_folder(again), name) != 0)
        return;
    if (s->number < found.number)
        s->number = found.number;
    if (s->kept == UINT32_MAX)
        s->of_run++; /* counted, for now */
    else
        add_file(file, &found);
}

static void look_around(xr_log_file *file)
{
    char folder[XR_LOG_PATH];
    const size_t size = xr_log_folder(file->pattern);
    memcpy(folder, file->pattern, size);
    folder[size] = 0;
    xr_port_list(folder, see_file, file);
}

/* ---- The writer's side ---- */

static void keep(xr_mcap *mcap, xr_head_kind kind, const void *record)
{
    if (kind != XR_HEAD_MESSAGE || xr_mcap_is_head(mcap, ((const xr_message *)record)->channel))
        xr_series_head_keep(&((xr_log_file *)mcap->sink)->series->head, kind, record);
}

/* The metadata "exray.file": which of the run's files it is. */
static int describe(xr_mcap *mcap, const void *object)
{
    const next_call *call = object;
    xr_log_file *file = call->file;
    const unsigned other = 1 - atomic_load_explicit(&file->current, memory_order_relaxed);
    const char *before = file->paths[other] + xr_log_folder(file->paths[other]);
    char number[24];
    xr_text_builder text = xr_text_in(number, sizeof number);
    xr_text_add_number(&text, file->series->of_run);
    exray_key_value pairs[3] = {{"number", number}};
    size_t count = 1;
    if (*before)
        pairs[count++] = (exray_key_value){"previous", before};
    if (file->series->head.incomplete)
        pairs[count++] = (exray_key_value){"incomplete", "the model, constants or attachments"};
    xr_metadata_record metadata = {.name = "exray.file", .pairs = pairs, .count = count};
    metadata.pairs_size = xr_mcap_pairs_size(&metadata);
    mcap->keep = NULL; /* of this file alone */
    const int error = xr_mcap_metadata(mcap, &metadata);
    mcap->keep = keep;
    return error;
}

/* Ends the file and begins the next. */
static int go_on(xr_mcap *mcap, const void *object)
{
    const next_call *call = object;
    xr_log_file *file = call->file;
    xr_file_series *s = file->series;
    if (xr_mcap_settle(mcap, XR_FLUSH_CHUNK))
        return mcap->error; /* the disk is full for now: the file goes on */
    int error = xr_mcap_end(mcap);
    series_file closed = {.number = s->number, .size = file->end};
    memcpy(closed.time, file->time, sizeof closed.time);
    if (!error)
        error = xr_log_file_end(file);
    if (error)
        return mcap->error = error;
    if (s->kept != UINT32_MAX) {
        add_file(file, &closed);
        make_room(file);
    }
    s->number++;
    s->of_run++;
    error = xr_log_file_create(file, &s->number);
    if (error)
        return mcap->error = error;
    xr_mcap_restart(mcap);
    mcap->keep = NULL;
    mcap->write_ahead = xr_log_file_write_ahead;
    xr_mcap_begin(mcap);
    xr_series_head_write(&s->head, mcap);
    describe(mcap, object);
    return xr_mcap_flush(mcap, XR_FLUSH_BYTES);
}

/* ---- The recorder's side ---- */

static void tell(xr_recorder *r, const char *what, uint64_t number)
{
    char line[120];
    xr_text_builder text = xr_text_in(line, sizeof line);
    xr_text_add(&text, what);
    xr_text_add_number(&text, number);
    xr_event(r, EXRAY_EVENT_ROTATE, line, 0);
}

static bool is_last(const xr_recorder *r)
{
    return r->series.keep_oldest && r->series.files && r->series.before + r->series.of_run >= r->series.files;
}

/* What is charged for the new file, and for the records that it begins with. */
static void begin_accounts(xr_recorder *r)
{
    for (uint32_t i = 0; i < r->channels.count; i++)
        r->channels.use[i].charged = i < r->series.common;
    for (int i = 0; i < XR_SCHEMA_COUNT; i++)
        r->schema_charged[i] = false;
    for (uint32_t i = 0; i < r->series.common; i++)
        r->schema_charged[r->channels.table[i].schema] = true;
    r->budget.series = !is_last(r);
    xr_budget_begin(r, xr_budget_of_file(&r->budget), r->budget.base + r->budget.head);
}

static bool is_due(const xr_recorder *r)
{
    const xr_series *series = &r->series;
    const xr_budget *budget = &r->budget;
    if (is_last(r) || !series->frames)
        return false;
    if (series->asked || (series->file_ns && r->last_end_ns - series->began_ns >= series->file_ns))
        return true;
    /* A frame like the largest so far shall find room, with its statistics and data. */
    const uint64_t largest = series->largest_frame + series->largest_frame / 8;
    return budget->bytes && budget->spent + largest > budget->bytes - (budget->bytes - budget->reserved) / 8;
}

static void rotate(xr_recorder *r)
{
    xr_series *series = &r->series;
    tell(r, "this file ends here: the recording goes on in file ", series->of_run + 1);
    if (!xr_emit_post(r, go_on, &r->file->series->next))
        return; /* the ring is full: after the next frame */
    series->of_run++;
    series->began_ns = r->last_end_ns;
    series->frames = 0;
    series->asked = false;
    begin_accounts(r);
    tell(r, "the recording goes on from file ", series->of_run - 1);
    series->frame_start = r->budget.spent; /* where it is not a frame's end that asked for it, too */
}

static void after_frame(xr_recorder *r)
{
    xr_series *series = &r->series;
    const uint64_t cost = r->budget.spent - series->frame_start;
    if (series->due) { /* the next frame begins, so the next file is not empty */
        series->due = false;
        rotate(r);
    } else {
        series->frames++;
        if (cost > series->largest_frame)
            series->largest_frame = cost;
        if (series->asked && is_due(r))
            rotate(r);
        else
            series->due = is_due(r);
    }
    series->frame_start = r->budget.spent;
}

int xr_series_begin(xr_recorder *r, const exray_recorder_config *config, uint64_t *number)
{
    xr_log_file *file = r->file;
    const uint32_t files = files_of(config);
    const bool counts = config->keep_oldest || !files;
    char pattern[XR_LOG_PATH];
    if (!xr_log_has(file->pattern, 'n')) {
        if (!xr_log_insert(file->pattern, "-%n", pattern))
            return xr_port_no_name();
        memcpy(file->pattern, pattern, sizeof pattern);
    }
    const uint32_t capacity = counts ? 0 : files + 1;
    xr_file_series *s = xr_port_allocate(sizeof *s + capacity * sizeof *s->files);
    if (!s)
        return xr_port_no_space();
    memset(s, 0, sizeof *s);
    file->series = s;
    s->files = (series_file *)(void *)(s + 1);
    s->capacity = capacity;
    s->next.file = file;
    s->head.handle = -1;
    s->total = total_of(config);
    r->parts.budget = exray_budget_part_default();
    r->budget.total = s->total;
    r->budget.files = files ? files : 1;
    r->budget.file_bytes = config->file_bytes;
    s->file_bytes = config->file_bytes;
    s->kept = counts ? UINT32_MAX : files - 1;
    r->series = (xr_series){.files = files,
                            .keep_oldest = config->keep_oldest,
                            .of_run = 1,
                            .file_ns = config->file_seconds * UINT64_C(1000000000)};
    look_around(file);
    r->series.before = s->of_run;
    s->of_run = 1;
    if (config->keep_oldest && files && r->series.before >= files)
        return xr_port_no_space();
    make_room(file);
    *number = s->number + 1;
    r->budget.series = !is_last(r);
    return 0;
}

void xr_series_created(xr_recorder *r, uint64_t number)
{
    int error;
    xr_file_series *s = r->file->series;
    s->number = number;
    s->head.handle = xr_port_open_unnamed(xr_log_file_path(r->file), &error);
    s->head.incomplete = s->head.handle < 0;
    r->mcap.keep = keep;
    r->series.began_ns = xr_port_now();
}

exray_status xr_series_begun(xr_recorder *r)
{
    r->after_frame = after_frame;
    r->series.frame_start = r->budget.spent;
    return xr_emit_call(r, describe, &r->file->series->next);
}

void xr_series_free(xr_log_file *file)
{
    if (file->series && file->series->head.handle >= 0)
        xr_port_close(file->series->head.handle);
    if (file->series)
        xr_port_free(file->series);
    file->series = NULL;
}

exray_status exray_recorder_next_file(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!r->after_frame || is_last(r))
        return xr_fail_with(r, EXRAY_E_STATE, "exray_recorder_next_file: ",
                            r->after_frame ? "this is the last file that there is room for"
                                           : "the recorder has one file; set config.max_files, file_bytes or "
                                             "file_seconds",
                            NULL);
    r->series.asked = true;
    if (!r->frame.open && r->series.frames)
        rotate(r);
    return EXRAY_OK;
}
