/* An open log: what its tables say. */
#include "log/index/frame_records.h"
#include "log/log_file.h"
#include "log/scan/scan.h"

#include <stdlib.h>
#include <string.h>

const char *exray_log_path(const exray_log *log)
{
    return log->path;
}

const char *exray_log_truncated(const exray_log *log)
{
    return log->truncated;
}

uint64_t exray_log_damaged(const exray_log *log)
{
    return atomic_load(&((exray_log *)(uintptr_t)log)->damaged);
}

const char *exray_log_unknown(const exray_log *log)
{
    return log->unknown;
}

uint64_t exray_log_lost(const exray_log *log)
{
    return log->lost;
}

uint64_t xr_log_verify(const exray_log *log, bool *checked)
{
    xr_log_ends ends;
    *checked = false;
    return xr_scan_ends(&log->map, log->path, &ends, NULL) ? xr_scan_verify(&log->map, &ends, checked) : 0;
}

uint64_t exray_log_unchecked(const exray_log *log)
{
    return log->unchecked + xr_log_count_unchecked(log, log->constants, log->constant_count);
}

static const char *metadata_of(const exray_log *log, const char *name, const char *key)
{
    const xr_metadata *records = log->metadata.items;
    for (size_t i = 0; i < log->metadata.count; i++) {
        if (strcmp(records[i].name, name) != 0)
            continue;
        for (size_t k = 0; k < records[i].count; k++)
            if (strcmp(records[i].pairs[k].key, key) == 0)
                return records[i].pairs[k].value;
    }
    return NULL;
}

/* Metadata that is known only at the end of a recording, such as `observer`, is in a record of its own. */
const char *exray_log_metadata(const exray_log *log, const char *key)
{
    const char *value = metadata_of(log, "exray", key);
    return value ? value : metadata_of(log, "exray.observation", key);
}

size_t exray_log_metadata_at(const exray_log *log, size_t i, const char **name, const exray_key_value **pairs)
{
    const xr_metadata *record = i < log->metadata.count ? (xr_metadata *)log->metadata.items + i : NULL;
    if (name)
        *name = record ? record->name : NULL;
    if (pairs)
        *pairs = record ? record->pairs : NULL;
    return record ? record->count : 0;
}

const exray_model *exray_log_model(const exray_log *log)
{
    return log->has_model ? &log->model : NULL;
}

size_t exray_log_event_count(const exray_log *log)
{
    return log->events.count;
}

const exray_event *exray_log_event(const exray_log *log, size_t i)
{
    return i < log->events.count ? (const exray_event *)log->events.items + i : NULL;
}

size_t exray_log_frame_count(const exray_log *log)
{
    return log->frame_count;
}

const exray_frame *exray_log_frame(const exray_log *log, size_t i)
{
    return &log->frames[i].frame;
}

const exray_record *exray_log_constants(const exray_log *log, size_t *count)
{
    *count = log->constant_count;
    return log->constants;
}

const exray_named_value *exray_log_frame_values(const exray_log *log, size_t frame, size_t *count)
{
    const xr_frame_extra *extra = log->frames[frame].extra;
    *count = extra ? extra->value_count : 0;
    return extra ? extra->values : NULL;
}

const exray_named_span *exray_log_frame_spans(const exray_log *log, size_t frame, size_t *count)
{
    const xr_frame_extra *extra = log->frames[frame].extra;
    *count = extra ? extra->span_count : 0;
    return extra ? extra->spans : NULL;
}

size_t exray_log_attachment_count(const exray_log *log)
{
    return log->attachments.count;
}

const exray_attachment *exray_log_attachment(const exray_log *log, size_t i)
{
    return i < log->attachments.count ? &((xr_attachment_entry *)log->attachments.items)[i].info : NULL;
}
