#define _POSIX_C_SOURCE 200809L
#include "replay/replay.h"

#include "base/error.h"
#include "base/file.h"
#include "base/inflate.h"
#include "core/host/series.h"
#include "media/sound/microfrontend.h"
#include "pipeline/parse.h"
#include "pipeline/text/parse_text.h"
#include "replay/ahead.h"
#include "replay/fill.h"
#include "replay/log_place.h"
#include "replay/observer.h"
#include "replay/recordings.h"
#include "replay/told/result.h"
#include "replay/told/saturation.h"
#include "replay/truth_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* State of a run. */
typedef struct run {
    const xr_run_options *options;
    xr_pipeline *pipeline;
    void *model;
    size_t model_size;
    exray_recorder recorder;
    xr_log_place place; /* of the log */
    bool opened;        /* the log has a file of ours */
    xr_session *session;
    xr_feeds inputs;
    xr_fills fills;
    xr_input_shape shapes[XR_FEED_MOST]; /* of the first item */
    xr_recordings recordings;            /* of the items so far */
    uint32_t noise[2]
                  [XR_MICROFRONTEND_CHANNELS]; /* of a sound that goes on: before this item, and behind it */
    bool from_input;                           /* the items are recorded inputs */
    xr_task task;
    bool has_result;
    bool fit_open;   /* whether there is one is known behind the first run */
    bool label_told; /* a warning that a label is none of the model's classes was given */
    bool began;      /* a frame: the log has something in it */
    bool has_first;  /* `first` was taken from the items and not run yet */
    xr_item first;
    xr_ahead *ahead;             /* items are prepared ahead; NULL: one by one */
    const xr_prepared *prepared; /* what was made of the item that is run now; NULL: nothing yet */
    xr_truth_notes truth;        /* how the items' truth was recorded */
    exray_key_value observer[5]; /* what the guard found, for the log */
    uint32_t observer_count;
    char observer_text[3][32], observer_output[128];
} run;

static void warn(const run *r, const char *text)
{
    const xr_run_listener *listener = &r->options->listener;
    if (listener->warning)
        listener->warning(listener->user, text);
}

static exray_status load_pipeline(run *r, exray_error *error)
{
    const xr_run_options *o = r->options;
    r->task = (xr_task){.name = ""};
    if (!o->pipeline)
        return EXRAY_OK;
    if (!r->pipeline)
        r->pipeline = xr_pipeline_read(o->pipeline, error);
    if (!r->pipeline || xr_text_open(r->pipeline, error))
        return error->status;
    return xr_task_load(r->pipeline, &r->task, error);
}

static void warn_of(void *run_of, const char *text)
{
    warn(run_of, text);
}

/* The pipeline file itself is attached to the log, and the vocabulary that it names. */
static exray_status attach_pipeline(run *r, exray_error *error)
{
    if (!r->pipeline)
        return EXRAY_OK;
    exray_recorder_log_attachment(&r->recorder, "pipeline.yaml", "application/yaml", r->pipeline->source,
                                  r->pipeline->source_size);
    const xr_text_source *t = &r->pipeline->text;
    if (t->file)
        exray_recorder_log_attachment(&r->recorder, xr_base_name(t->vocabulary), "text/plain", t->file,
                                      t->file_size);
    return xr_task_attach(&r->task, &r->recorder, error);
}

static exray_status open_recorder(run *r, exray_error *error)
{
    exray_recorder_config config = r->options->config;
    char offset[32];
    snprintf(offset, sizeof offset, "%lld", r->pipeline ? (long long)r->task.label_offset : 0);
    /* What decides how outputs are read is part of the log. */
    enum { MOST_PAIRS = 32 };
    exray_key_value pairs[MOST_PAIRS] = {{"label_offset", offset}};
    xr_task_key_room room;
    uint32_t count = r->pipeline ? 1 + xr_task_keys(&r->task, r->pipeline, &room, pairs + 1) : 0;
    /* What limits it, too: a log that has fewer frames than another says why. */
    char limit[32];
    snprintf(limit, sizeof limit, "%llu", (unsigned long long)r->options->max_frames);
    if (r->options->max_frames)
        pairs[count++] = (exray_key_value){"frames", limit};
    for (uint32_t i = 0; i < r->observer_count; i++)
        pairs[count++] = r->observer[i];
    for (uint32_t i = 0; i < config.metadata_count && count < MOST_PAIRS; i++)
        pairs[count++] = config.metadata[i];
    config.metadata = pairs;
    config.metadata_count = count;
    if (r->pipeline && !config.task)
        config.task = r->task.name;
    exray_status status = xr_log_place_clear(&r->place, error);
    if (status)
        return status;
    status = exray_recorder_open_file(&r->recorder, r->place.written, &config);
    if (status)
        return xr_error_set(error, status, "%s", exray_recorder_error_message(&r->recorder));
    if (xr_log_place_taken(&r->place, exray_recorder_path(&r->recorder), error))
        return error->status;
    r->opened = true;
    return EXRAY_OK;
}

static xr_session_config session_config(run *r)
{
    const xr_run_options *o = r->options;
    for (uint32_t i = 0; r->has_first && i < r->inputs.count; i++)
        r->shapes[i] = (xr_input_shape){r->inputs.of[i].shape, r->inputs.of[i].info.rank};
    return (xr_session_config){.model_path = o->model,
                               .model_data = r->model,
                               .model_size = r->model_size,
                               .kernels = o->kernels,
                               .threads = o->threads,
                               .library = o->library,
                               .delegate = o->delegate,
                               .shapes = r->has_first ? r->shapes : NULL,
                               .shape_count = r->has_first ? r->inputs.count : 0};
}

static bool check_fit(run *r)
{
    char why[300] = "";
    const bool fits =
        r->pipeline && xr_task_fits(&r->task, r->options->engine, r->session, &r->inputs, why, sizeof why);
    if (*why)
        warn(r, why);
    return fits;
}

static exray_status open_session(run *r, exray_recorder *recorder, exray_error *error)
{
    const xr_run_options *o = r->options;
    xr_session_config config = session_config(r);
    config.recorder = recorder;
    if (!(r->session = o->engine->open(&config, error)))
        return error->status;
    exray_status status = xr_feeds_open(&r->inputs, o->engine, r->session, error);
    if (status) {
        const exray_error why = *error;
        return xr_error_set(error, status, "%.200s: %.250s", o->model, why.message);
    }
    status = xr_fill_plan(&r->fills, r->pipeline, r->from_input, o->engine, r->session, &r->inputs, error);
    if (status)
        return status;
    r->inputs.noise = r->pipeline && xr_audio_goes_on(&r->pipeline->audio) ? r->noise[1] : NULL;
    if (!recorder)
        return EXRAY_OK;
    r->fit_open = r->pipeline && xr_task_is_open(o->engine, r->session);
    r->has_result = r->fit_open || check_fit(r);
    return EXRAY_OK;
}

static const char *encoded_format(const xr_item *item)
{
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'}, wav[] = {'R', 'I', 'F', 'F'};
    if (item->media.format && *item->media.format)
        return item->media.format;
    if (item->size >= 4 && memcmp(item->data, wav, 4) == 0)
        return "wav";
    return item->size >= 4 && memcmp(item->data, png, 4) == 0 ? "png" : "jpeg";
}

static void record_sensor(run *r, const xr_item *item)
{
    const char *format = encoded_format(item);
    if (strcmp(format, "s16") == 0 || strcmp(format, "f32") == 0)
        exray_recorder_log_sound(&r->recorder, item->sensor, &item->media, item->data, item->size);
    else if (strcmp(format, "jpeg") == 0 || strcmp(format, "png") == 0 || strcmp(format, "wav") == 0)
        exray_recorder_log_encoded(&r->recorder, item->sensor, format, item->data, item->size);
    else if (strcmp(format, "utf8") == 0)
        exray_recorder_log_text(&r->recorder, item->sensor, item->data, item->size);
    else
        exray_recorder_log_image(&r->recorder, item->sensor, &item->media, item->data, item->size);
}

/* What the model remembers, apart from what it is given. */
static void record_states(run *r)
{
    for (uint32_t i = 0; i < r->fills.count; i++) {
        const xr_feed *feed = &r->inputs.of[i];
        if (r->fills.of[i].kind != XR_FILL_STATE)
            continue;
        exray_tensor record = {
            .kind = EXRAY_KIND_STATE, .info = feed->info, .data = feed->bytes, .size = feed->size};
        record.info.shape = feed->shape;
        exray_recorder_log_tensor(&r->recorder, &record);
    }
}

/* A label file of another model would only show as a low accuracy. */
static void check_label(run *r, const xr_item *item)
{
    int64_t classes = xr_task_classes(&r->task, r->options->engine, r->session);
    if (r->label_told || !item->has_label || classes == 0 || (item->label >= 0 && item->label < classes))
        return;
    char text[300];
    snprintf(text, sizeof text,
             "%.150s has label %lld, but the model's classes are 0 to %lld: check the labels", item->source,
             (long long)item->label, (long long)classes - 1);
    warn(r, text);
    r->label_told = true;
}

/* The front end's noise goes on through a recording, and begins anew where another begins. */
static void continue_sound(run *r, const xr_item *item)
{
    if (!r->inputs.noise)
        return;
    if (xr_recordings_goes_on(&r->recordings, item))
        memcpy(r->noise[0], r->noise[1], sizeof r->noise[0]);
    else if (!xr_recordings_repeats(&r->recordings, item))
        memset(r->noise[0], 0, sizeof r->noise[0]);
    memcpy(r->noise[1], r->noise[0], sizeof r->noise[0]);
}

/* Makes an item's inputs, or takes those that were made ahead; *took: how long making them took, ns. */
static exray_status make_inputs(run *r, const xr_item *item, uint64_t *took, exray_error *error)
{
    if (r->prepared) {
        *took = r->prepared->took;
        return xr_ahead_take(r->prepared, &r->fills, &r->inputs, error);
    }
    uint64_t begin = exray_recorder_now(&r->recorder);
    exray_status status = xr_fill_run(&r->fills, r->pipeline, item, &r->inputs, error);
    *took = exray_recorder_now(&r->recorder) - begin;
    return status;
}

/* What the model remembers is as at first, in its inputs and by itself; *kept: it remembers something. */
static exray_status reset_states(run *r, bool *kept, exray_error *error)
{
    const xr_engine *engine = r->options->engine;
    bool own = false;
    exray_status status = engine->reset ? engine->reset(r->session, &own, error) : EXRAY_OK;
    *kept = own || xr_fill_has_states(&r->fills);
    return status ? status : xr_fill_reset_states(&r->fills, &r->inputs, error);
}

/* One frame.  A picture that cannot be used leaves no frame behind: it is
 * decoded before the frame begins. */
static exray_status run_item(run *r, const xr_item *item, bool *usable, exray_error *error)
{
    const xr_engine *engine = r->options->engine;
    uint64_t preprocess;
    continue_sound(r, item);
    bool begins = xr_recordings_begins(&r->recordings, item), kept = false;
    exray_status status = make_inputs(r, item, &preprocess, error);
    *usable = status == EXRAY_OK;
    if (status) {
        xr_recordings_unused(&r->recordings, begins);
        return status;
    }
    if (begins && (status = reset_states(r, &kept, error)) != EXRAY_OK)
        return status;
    check_label(r, item);
    if (!r->began)
        xr_saturation_warn(r->pipeline, &r->fills, &r->inputs, warn_of, r);
    r->began = true;
    if (item->has_index)
        exray_recorder_frame_begin_at(&r->recorder, item->index, item->source);
    else
        exray_recorder_frame_begin(&r->recorder, item->source);
    if (item->has_label)
        exray_recorder_frame_label(&r->recorder, item->label);
    if (!item->from_input)
        record_sensor(r, item);
    exray_recorder_log_span(&r->recorder, "preprocess", preprocess);
    if (kept)
        exray_recorder_event(&r->recorder, EXRAY_EVENT_RESET,
                             item->resets ? "as the application did" : "a recording begins");
    record_states(r);
    xr_truth_record(&r->truth, item, &r->task.labels, &r->recorder, warn_of, r);
    status = xr_feeds_set(&r->inputs, engine, r->session, error);
    if (!status)
        status = engine->run(r->session, error);
    if (!status)
        status = xr_fill_keep_states(&r->fills, engine, r->session, &r->inputs, error);
    if (!status && r->fit_open)
        r->has_result = check_fit(r);
    r->fit_open = r->fit_open && status;
    if (!status && r->has_result)
        status = xr_task_record(&r->task, engine, r->session, &r->inputs, &r->recorder, error);
    exray_recorder_frame_end(&r->recorder);
    if (exray_recorder_error_status(&r->recorder)) /* the root of what else may have failed */
        status = xr_error_set(error, exray_recorder_error_status(&r->recorder), "%s",
                              exray_recorder_error_message(&r->recorder));
    return status;
}

/* The next item; the one that the guard used is returned again. */
static xr_next next_item(run *r, xr_items *items, xr_item *item, exray_error *error)
{
    r->prepared = NULL;
    if (!r->has_first)
        return r->ahead ? xr_ahead_next(r->ahead, item, &r->prepared, error)
                        : items->next(items, item, error);
    *item = r->first;
    r->has_first = false;
    return XR_NEXT_ITEM;
}

static void skip_item(run *r, const xr_item *item, const char *why, xr_run_report *report)
{
    const xr_run_listener *listener = &r->options->listener;
    report->skipped++;
    if (listener->skipped)
        listener->skipped(listener->user, item->source, why);
}

/* Whether somebody ends the run now. */
static bool is_stopped(const run *r, xr_run_report *report)
{
    const xr_run_listener *listener = &r->options->listener;
    report->stopped = report->stopped || (listener->stopped && listener->stopped(listener->user));
    return report->stopped;
}

/* No frame was written. */
static exray_status nothing_run(const xr_items *items, const xr_run_report *report, const exray_error *last,
                                exray_error *error)
{
    if (report->stopped)
        return xr_error_set(error, EXRAY_E_STATE, "stopped before the first frame; no log was written");
    return xr_error_set(error, EXRAY_E_IO, "not one of %zu frames could be used; the last: %.300s",
                        items->count, last->message);
}

static exray_status run_all(run *r, xr_items *items, xr_run_report *report, exray_error *error)
{
    const xr_run_listener *listener = &r->options->listener;
    uint64_t limit = r->options->max_frames ? r->options->max_frames : UINT64_MAX;
    size_t count = items->count * (r->options->repeat ? r->options->repeat : 1);
    size_t total = count < limit ? count : (size_t)limit;
    exray_error last = {0};
    xr_item item;
    xr_next next;
    while (report->frames < limit && !is_stopped(r, report) &&
           (next = next_item(r, items, &item, &last)) != XR_NEXT_END) {
        bool usable = next == XR_NEXT_ITEM;
        exray_status status = EXRAY_OK;
        if (usable)
            status = run_item(r, &item, &usable, &last);
        else
            xr_recordings_unused(&r->recordings, xr_recordings_begins(&r->recordings, &item));
        for (unsigned k = 1; k < r->options->repeat && usable && !status && report->frames + 1 < limit &&
                             !is_stopped(r, report);
             k++) {
            report->frames++;
            status = run_item(r, &item, &usable, &last);
        }
        /* A pipeline that does not fit the model fits it for no other picture. */
        bool hopeless = status == EXRAY_E_UNSUPPORTED && report->frames == 0;
        if (hopeless)
            return xr_error_set(error, status, "%.150s: %.300s", r->options->model, last.message);
        if (usable && status) {
            *error = last;
            return status;
        }
        report->frames += usable;
        if (!usable)
            skip_item(r, &item, last.message, report);
        if (listener->progress)
            listener->progress(listener->user, report->frames + report->skipped, total);
    }
    return report->frames ? EXRAY_OK : nothing_run(items, report, &last, error);
}

/* ---- The observer guard --------------------------------------------------------- */

/* Fills the input from the first item that can be used; has_first tells whether
 * there is one. */
static exray_status take_first(run *r, xr_items *items, xr_run_report *report, exray_error *error)
{
    exray_error last = {0};
    xr_item item;
    xr_next next;
    while (!r->has_first && !is_stopped(r, report) &&
           (next = items->next(items, &item, &last)) != XR_NEXT_END) {
        exray_status status =
            next == XR_NEXT_ITEM ? xr_fill_run(&r->fills, r->pipeline, &item, &r->inputs, &last) : EXRAY_E_IO;
        if (status == EXRAY_E_UNSUPPORTED) /* for every other item, too */
            return xr_error_set(error, status, "%.150s: %.300s", r->options->model, last.message);
        if (status)
            skip_item(r, &item, last.message, report);
        r->has_first = !status;
        r->first = item;
    }
    return r->has_first ? EXRAY_OK : nothing_run(items, report, &last, error);
}

static void note(run *r, const char *key, const char *value)
{
    r->observer[r->observer_count++] = (exray_key_value){key, value};
}

static void keep_observation(run *r, const xr_observation *o)
{
    snprintf(r->observer_text[0], sizeof r->observer_text[0], "%.9g", o->max_abs);
    snprintf(r->observer_text[1], sizeof r->observer_text[1], "%.9g", o->range);
    snprintf(r->observer_text[2], sizeof r->observer_text[2], "%.9g", o->repeat_max_abs);
    snprintf(r->observer_output, sizeof r->observer_output, "%s", o->output);
    note(r, "observer", o->verdict);
    note(r, "observer_max_abs", r->observer_text[0]);
    if (*o->output) {
        note(r, "observer_output", r->observer_output);
        note(r, "observer_range", r->observer_text[1]);
    }
    if (o->repeated)
        note(r, "observer_repeat_max_abs", r->observer_text[2]);
    if (strcmp(o->verdict, "differs") != 0)
        return;
    char text[400];
    snprintf(
        text, sizeof text,
        "observing the layers changes what the model returns (%.100s by up to %s, of a range of %s): layers "
        "and outputs of this log are not those of the model as it runs unobserved; record with --capture io, "
        "or with other kernels",
        *o->output ? o->output : "an output", r->observer_text[0], r->observer_text[1]);
    warn(r, text);
}

/* Runs one frame unobserved and one observed; the log has neither. */
static exray_status guard(run *r, xr_items *items, xr_run_report *report, exray_error *error)
{
    if (!xr_observes_layers(&r->options->config))
        return EXRAY_OK;
    exray_status status = open_session(r, NULL, error);
    if (!status)
        status = take_first(r, items, report, error);
    if (status)
        return status;
    xr_session_config config = session_config(r);
    xr_session *bare = r->session;
    xr_observation observation;
    r->session = NULL; /* xr_observe closes it */
    status =
        xr_observe(r->options->engine, &config, bare, &r->options->config, &r->inputs, &observation, error);
    if (!status)
        keep_observation(r, &observation);
    return status;
}

/* What the pipeline leaves out, the model's file may say. */
static exray_status take_notes(run *r, exray_error *error)
{
    xr_model_notes notes;
    if (!r->pipeline)
        return EXRAY_OK;
    if (!xr_engine_notes(r->model, r->model_size, xr_inflate, &notes))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the model's metadata");
    exray_status status = xr_task_take_notes(&r->task, &notes, error);
    bool defaulted = false;
    if (notes.mean_count && !r->from_input)
        xr_pipeline_set_normalization(r->pipeline, notes.mean, notes.std, notes.mean_count, &defaulted);
    if (defaulted) {
        char text[300];
        snprintf(text, sizeof text,
                 "the pipeline has no normalize: (x - %.9g) / %.9g is used, as the model's metadata say; "
                 "`normalize: "
                 "none` keeps 0 to 255",
                 notes.mean[0], notes.std[0]);
        warn(r, text);
    }
    xr_engine_notes_free(&notes);
    return status;
}

static exray_status prepare(run *r, xr_items *items, xr_run_report *report, exray_error *error)
{
    exray_status status = load_pipeline(r, error);
    if (status)
        return status;
    items->audio = r->pipeline && r->pipeline->audio.given ? &r->pipeline->audio : NULL;
    items->texts = r->pipeline && r->pipeline->text.line > 0;
    if (!(r->model = xr_file_read(r->options->model, XR_LIMIT_MODEL, &r->model_size, error)))
        return error->status;
    exray_error why = {EXRAY_OK, ""};
    if (xr_engine_whole_model(r->options->model, &r->model, &r->model_size, &why) != EXRAY_OK)
        return xr_error_set(error, why.status, "cannot read %.200s: %.250s", r->options->model, why.message);
    status = take_notes(r, error);
    if (!status)
        status = guard(r, items, report, error);
    if (status)
        return status;
    status = open_recorder(r, error);
    if (!status)
        status = open_session(r, &r->recorder, error);
    return status ? status : attach_pipeline(r, error);
}

/* Closes the log and brings it to its place, where the run was good; a log without a frame is useless, and
 * could be taken for a good one. */
static exray_status end_log(run *r, exray_status status, xr_run_report *report, exray_error *error)
{
    const char *path = exray_recorder_path(&r->recorder);
    const bool beside = *r->place.path;
    report->dropped = exray_recorder_dropped(&r->recorder);
    snprintf(report->path, sizeof report->path, "%s", beside ? r->place.path : path ? path : r->options->out);
    const exray_status closed = exray_recorder_close(&r->recorder);
    if (!status && closed)
        status = xr_error_set(error, closed, "%s", exray_recorder_error_message(&r->recorder));
    report->bytes = exray_recorder_bytes_written(&r->recorder);
    struct stat info;
    if (beside) {
        if (!r->opened)
            return status;
        /* What a run has before it fails is kept, as a log that is whole, where it takes no other's place. */
        const bool keeps = r->began && !closed && lstat(r->place.path, &info) != 0;
        const exray_status settled = xr_log_place_settle(&r->place, !status || keeps, error);
        return status ? status : settled;
    }
    if (!r->began && report->bytes > 0 && lstat(report->path, &info) == 0 && S_ISREG(info.st_mode))
        unlink(report->path);
    return status;
}

exray_status xr_run(const xr_run_options *options, xr_items *items, xr_run_report *report, exray_error *error)
{
    run *r = calloc(1, sizeof *r);
    *report = (xr_run_report){0};
    if (!r) {
        xr_pipeline_free(options->read);
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    }
    r->options = options;
    r->pipeline = options->read;
    r->from_input = items->from_input;
    r->truth.truth = items->truth;
    exray_status status =
        xr_log_place_choose(&r->place, options->out, xr_series_wanted(&options->config), error);
    if (!status)
        status = prepare(r, items, report, error);
    /* Recorded inputs are copied: no other thread is worth that; what goes on needs the item before. */
    if (!status && options->jobs > 1 && !items->from_input && !r->inputs.noise) {
        r->ahead =
            xr_ahead_open(options->jobs, items, r->pipeline, &r->fills, options->engine, r->session, error);
        status = r->ahead ? EXRAY_OK : error->status;
    }
    if (!status)
        status = run_all(r, items, report, error);
    if (!status)
        xr_truth_end(&r->truth, warn_of, r);
    xr_ahead_close(r->ahead);
    status = end_log(r, status, report, error);
    if (r->session)
        options->engine->close(r->session);
    xr_task_free(&r->task);
    xr_pipeline_free(r->pipeline);
    xr_feeds_close(&r->inputs);
    free(r->model);
    free(r);
    return status;
}
